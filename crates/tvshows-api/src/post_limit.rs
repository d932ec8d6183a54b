use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// How many clients are told apart: a bound for the memory, some 100 bytes each.
const MOST_CLIENTS: usize = 10_000;
/// Whom those count as for whom there is no room.
const OTHERS: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// How often a client may ask for a change.
pub(crate) struct PostLimit<C: Clock = MonotonicClock> {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, C, NoOpMiddleware<C::Instant>>,
}

impl PostLimit {
    /// So many a minute, and as many at once after a minute without any.
    pub(crate) fn per_minute(requests: NonZeroU32) -> PostLimit {
        PostLimit::by(requests, MonotonicClock)
    }
}

impl<C: Clock> PostLimit<C> {
    fn by(requests: NonZeroU32, clock: C) -> PostLimit<C> {
        let store = HashMapStateStore::default();
        let limiter = RateLimiter::new(Quota::per_minute(requests), store, clock);
        PostLimit { limiter }
    }

    /// `Err` with the time after which the client may ask again.
    pub(crate) fn take(&self, client: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() >= MOST_CLIENTS {
            // Those who asked for nothing in the last minute are as new.
            self.limiter.retain_recent();
        }
        let is_full = self.limiter.len() >= MOST_CLIENTS;
        let client = if is_full { OTHERS } else { one_of_network(client) };
        let taken = self.limiter.check_key(&client);
        taken.map_err(|refused| refused.wait_time_from(self.limiter.clock().now()))
    }
}

/// An IPv6 client has a whole /64 of addresses, so that counts as one.
fn one_of_network(client: IpAddr) -> IpAddr {
    match client.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let network = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(network))
        }
    }
}

#[cfg(test)]
mod tests {
    use governor::clock::FakeRelativeClock;

    use super::*;

    fn limit(requests: u32) -> (PostLimit<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (PostLimit::by(NonZeroU32::new(requests).unwrap(), clock.clone()), clock)
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn a_client_that_used_up_its_requests_waits_and_others_do_not() {
        let (limit, clock) = limit(6);
        for _ in 0..6 {
            assert_eq!(limit.take(address(1)), Ok(()));
        }
        assert_eq!(limit.take(address(1)), Err(Duration::from_secs(10)));
        assert_eq!(limit.take(address(2)), Ok(()));
        clock.advance(Duration::from_secs(10));
        assert_eq!(limit.take(address(1)), Ok(()));
        assert_eq!(limit.take(address(1)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn addresses_of_one_network_are_one_client() {
        let (limit, _clock) = limit(1);
        let take = |text: &str| limit.take(text.parse().unwrap()).is_ok();
        assert!(take("2001:db8:0:1::1") && !take("2001:db8:0:1:ffff::2"));
        assert!(take("2001:db8:0:2::1"));
        assert!(take("192.0.2.1") && !take("::ffff:192.0.2.1"));
    }

    #[test]
    fn more_clients_than_have_room_share_one_allowance_until_there_is_room() {
        let (limit, clock) = limit(1);
        let most = u32::try_from(MOST_CLIENTS).unwrap();
        for number in 1..=most {
            assert_eq!(limit.take(address(number)), Ok(()));
        }
        assert_eq!(limit.take(address(most + 1)), Ok(()));
        assert!(limit.take(address(most + 2)).is_err(), "one allowance for all of them");
        assert!(limit.limiter.len() <= MOST_CLIENTS + 1);
        clock.advance(Duration::from_mins(2));
        assert_eq!(limit.take(address(most + 2)), Ok(()));
        assert_eq!(limit.limiter.len(), 1, "the others are forgotten");
    }
}
