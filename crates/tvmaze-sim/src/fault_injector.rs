use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::config::SimConfig;
use crate::fault::FaultKind;
use crate::rate_limit::RateLimit;
use crate::shared::decode_brackets;
use crate::token_bucket::TokenBucket;

/// How to treat one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Respond,
    Fault(FaultKind),
    /// 429, with `Retry-After` in seconds.
    RateLimited {
        retry_after: Option<u64>,
    },
}

/// A [`SimConfig`] with the state of its rate limit and the faults that remain.
#[derive(Debug)]
pub(crate) struct FaultInjector {
    config: SimConfig,
    bucket: Option<TokenBucket>,
    /// The paths that an edge cache would hold; only filled if the limit exempts them.
    cached: HashSet<String>,
}

impl FaultInjector {
    pub(crate) fn new(config: SimConfig, now: Instant) -> Self {
        let bucket = config.limit.as_ref().map(|limit| TokenBucket::new(limit, now));
        Self { config, bucket, cached: HashSet::new() }
    }

    /// Replaces the limit, but not the number of missing tokens or the cached paths.
    pub(crate) fn set_limit(&mut self, limit: Option<RateLimit>, now: Instant) {
        match (&mut self.bucket, &limit) {
            (Some(bucket), Some(limit)) => bucket.reconfigure(limit, now),
            (bucket, limit) => *bucket = limit.as_ref().map(|limit| TokenBucket::new(limit, now)),
        }
        self.config.limit = limit;
    }

    pub(crate) fn latency(&self) -> Duration {
        self.config.latency
    }

    /// Decides how to treat a request and spends the token or the fault.
    pub(crate) fn decide(&mut self, path: &str, now: Instant) -> Decision {
        if let Some(decision) = self.rate_limit(path, now) {
            return decision;
        }
        if let Some(kind) = self.next_fault(path) {
            return Decision::Fault(kind);
        }
        if self.config.limit.as_ref().is_some_and(|limit| limit.exempt_cached) {
            self.cached.insert(path.to_owned());
        }
        Decision::Respond
    }

    fn rate_limit(&mut self, path: &str, now: Instant) -> Option<Decision> {
        let limit = self.config.limit.as_ref()?;
        if self.cached.contains(path) {
            return None;
        }
        let wait = self.bucket.as_mut()?.try_acquire(now).err()?;
        let retry_after = limit.retry_after.then(|| seconds_rounded_up(wait));
        Some(Decision::RateLimited { retry_after })
    }

    fn next_fault(&mut self, path: &str) -> Option<FaultKind> {
        let fault = self
            .config
            .faults
            .iter_mut()
            .find(|fault| decode_brackets(&fault.path) == path && fault.times != Some(0))?;
        fault.times = fault.times.map(|times| times - 1);
        Some(fault.kind)
    }
}

fn seconds_rounded_up(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RATE_LIMITED: Decision = Decision::RateLimited { retry_after: None };

    fn injector(limit: Option<RateLimit>, faults: &[&str]) -> FaultInjector {
        let faults = faults.iter().map(|text| text.parse().expect("a fault")).collect();
        let config = SimConfig { limit, faults, ..SimConfig::default() };
        FaultInjector::new(config, Instant::now())
    }

    fn limit(text: &str) -> RateLimit {
        text.parse().expect("a rate limit")
    }

    #[tokio::test(start_paused = true)]
    async fn faults_of_one_path_happen_in_their_order_and_then_end() {
        let mut injector = injector(None, &["status:500*2@/a", "truncate*1@/a", "hang@/b"]);
        let decisions: Vec<_> = (0..4).map(|_| injector.decide("/a", Instant::now())).collect();
        assert_eq!(
            decisions,
            [
                Decision::Fault(FaultKind::Status(500)),
                Decision::Fault(FaultKind::Status(500)),
                Decision::Fault(FaultKind::Truncate),
                Decision::Respond,
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_rate_limited_request_uses_up_no_fault() {
        let mut injector = injector(Some(limit("1/10s")), &["truncate*1@/a"]);
        assert_eq!(injector.decide("/b", Instant::now()), Decision::Respond);
        assert_eq!(injector.decide("/a", Instant::now()), RATE_LIMITED);
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(injector.decide("/a", Instant::now()), Decision::Fault(FaultKind::Truncate));
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_the_wait_rounded_up() {
        let mut injector = injector(Some(RateLimit { retry_after: true, ..limit("4/10s") }), &[]);
        let rate_limited = |seconds| Decision::RateLimited { retry_after: Some(seconds) };
        for _ in 0..4 {
            assert_eq!(injector.decide("/", Instant::now()), Decision::Respond);
        }
        assert_eq!(injector.decide("/", Instant::now()), rate_limited(3));
        tokio::time::advance(Duration::from_millis(2_499)).await;
        assert_eq!(injector.decide("/", Instant::now()), rate_limited(1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cached_path_is_free_but_not_after_a_fault() {
        let exempt = RateLimit { exempt_cached: true, ..limit("3/10s") };
        let mut injector = injector(Some(exempt), &["status:500*1@/a"]);
        assert_eq!(injector.decide("/a", Instant::now()), Decision::Fault(FaultKind::Status(500)));
        assert_eq!(injector.decide("/a", Instant::now()), Decision::Respond);
        for _ in 0..5 {
            assert_eq!(injector.decide("/a", Instant::now()), Decision::Respond);
        }
        assert_eq!(injector.decide("/b", Instant::now()), Decision::Respond);
        assert_eq!(injector.decide("/c", Instant::now()), RATE_LIMITED);
        assert_eq!(injector.decide("/b", Instant::now()), Decision::Respond);
    }
}
