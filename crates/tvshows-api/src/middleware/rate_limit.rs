use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock, MonotonicClock};
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::HashMapStateStore;
use governor::{Quota, RateLimiter};

/// How many clients have a separate limit. Bounds memory: each takes about 100 bytes.
const MAX_CLIENTS: usize = 10_000;
/// The key that all clients beyond [`MAX_CLIENTS`] share.
const OVERFLOW_KEY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Limits the rate of state-changing requests for each client address.
pub(crate) struct ClientRateLimiter<C: Clock = MonotonicClock> {
    limiter: RateLimiter<IpAddr, HashMapStateStore<IpAddr>, C, NoOpMiddleware<C::Instant>>,
}

impl ClientRateLimiter {
    /// Allows `requests` per minute, and a burst of that many after an idle minute.
    pub(crate) fn per_minute(requests: NonZeroU32) -> ClientRateLimiter {
        ClientRateLimiter::with_clock(requests, MonotonicClock)
    }
}

impl<C: Clock> ClientRateLimiter<C> {
    fn with_clock(requests: NonZeroU32, clock: C) -> ClientRateLimiter<C> {
        let store = HashMapStateStore::default();
        let limiter = RateLimiter::new(Quota::per_minute(requests), store, clock);
        ClientRateLimiter { limiter }
    }

    /// # Errors
    ///
    /// The limit is exceeded; the client may retry after the duration.
    pub(crate) fn check(&self, client: IpAddr) -> Result<(), Duration> {
        if self.limiter.len() >= MAX_CLIENTS {
            // Clients that were idle for a minute have their full allowance again.
            self.limiter.retain_recent();
        }
        let is_full = self.limiter.len() >= MAX_CLIENTS;
        let key = if is_full { OVERFLOW_KEY } else { client_key(client) };
        let checked = self.limiter.check_key(&key);
        checked.map_err(|exceeded| exceeded.wait_time_from(self.limiter.clock().now()))
    }
}

/// An IPv6 client usually controls a whole /64 network, so all its addresses share a key.
fn client_key(client: IpAddr) -> IpAddr {
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

    fn limiter(requests: u32) -> (ClientRateLimiter<FakeRelativeClock>, FakeRelativeClock) {
        let clock = FakeRelativeClock::default();
        (ClientRateLimiter::with_clock(NonZeroU32::new(requests).unwrap(), clock.clone()), clock)
    }

    fn address(number: u32) -> IpAddr {
        IpAddr::V4(Ipv4Addr::from(number))
    }

    #[test]
    fn a_client_that_used_up_its_requests_waits_and_others_do_not() {
        let (limiter, clock) = limiter(6);
        for _ in 0..6 {
            assert_eq!(limiter.check(address(1)), Ok(()));
        }
        assert_eq!(limiter.check(address(1)), Err(Duration::from_secs(10)));
        assert_eq!(limiter.check(address(2)), Ok(()));
        clock.advance(Duration::from_secs(10));
        assert_eq!(limiter.check(address(1)), Ok(()));
        assert_eq!(limiter.check(address(1)), Err(Duration::from_secs(10)));
    }

    #[test]
    fn addresses_of_one_network_are_one_client() {
        let (limiter, _clock) = limiter(1);
        let allows = |text: &str| limiter.check(text.parse().unwrap()).is_ok();
        assert!(allows("2001:db8:0:1::1") && !allows("2001:db8:0:1:ffff::2"));
        assert!(allows("2001:db8:0:2::1"));
        assert!(allows("192.0.2.1") && !allows("::ffff:192.0.2.1"));
    }

    #[test]
    fn more_clients_than_have_room_share_one_allowance_until_there_is_room() {
        let (limiter, clock) = limiter(1);
        let max = u32::try_from(MAX_CLIENTS).unwrap();
        for number in 1..=max {
            assert_eq!(limiter.check(address(number)), Ok(()));
        }
        assert_eq!(limiter.check(address(max + 1)), Ok(()));
        assert!(limiter.check(address(max + 2)).is_err(), "one allowance for all of them");
        assert!(limiter.limiter.len() <= MAX_CLIENTS + 1);
        clock.advance(Duration::from_mins(2));
        assert_eq!(limiter.check(address(max + 2)), Ok(()));
        assert_eq!(limiter.limiter.len(), 1, "idle clients are dropped");
    }
}
