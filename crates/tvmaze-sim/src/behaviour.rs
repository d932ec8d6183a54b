use std::collections::HashSet;
use std::time::Duration;

use tokio::time::Instant;

use crate::bucket::Bucket;
use crate::{Fault, FaultKind, RateLimit};

/// How the simulator misbehaves; by default not at all.
#[derive(Clone, Debug, Default)]
pub struct Behaviour {
    /// The pause before every answer, refusals and faults included.
    pub latency: Duration,
    /// The rate limit, over all connections together.
    pub limit: Option<RateLimit>,
    /// What goes wrong. Of several faults of one path the first that is not used up happens, so
    /// their order is a script. A request refused by the limit uses up none.
    pub faults: Vec<Fault>,
}

/// What becomes of one request.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Decision {
    Answer,
    Fault(FaultKind),
    /// 429, with these seconds as `Retry-After`.
    Refuse(Option<u64>),
}

/// A [`Behaviour`] at work: what is spent of it so far.
#[derive(Debug)]
pub(crate) struct Conduct {
    behaviour: Behaviour,
    bucket: Option<Bucket>,
    /// The paths that an edge cache would hold; only kept where that matters.
    cached: HashSet<String>,
}

impl Conduct {
    pub(crate) fn new(behaviour: Behaviour, now: Instant) -> Self {
        let bucket = behaviour.limit.as_ref().map(|limit| Bucket::new(limit, now));
        Self { behaviour, bucket, cached: HashSet::new() }
    }

    /// Limits otherwise from now on; the calls that are short and what is cached stay.
    pub(crate) fn set_limit(&mut self, limit: Option<RateLimit>, now: Instant) {
        match (&mut self.bucket, &limit) {
            (Some(bucket), Some(limit)) => bucket.change(limit, now),
            (bucket, limit) => *bucket = limit.as_ref().map(|limit| Bucket::new(limit, now)),
        }
        self.behaviour.limit = limit;
    }

    pub(crate) fn latency(&self) -> Duration {
        self.behaviour.latency
    }

    /// Decides about one request and spends what the decision costs.
    pub(crate) fn decide(&mut self, path: &str, now: Instant) -> Decision {
        let cached_exempt = self.behaviour.limit.as_ref().is_some_and(|limit| limit.cached_exempt);
        if let Some(refusal) = self.refusal(path, now) {
            refusal
        } else if let Some(kind) = self.fault(path) {
            Decision::Fault(kind)
        } else {
            if cached_exempt {
                self.cached.insert(path.to_owned());
            }
            Decision::Answer
        }
    }

    fn refusal(&mut self, path: &str, now: Instant) -> Option<Decision> {
        let limit = self.behaviour.limit.as_ref()?;
        if self.cached.contains(path) {
            return None;
        }
        let wait = self.bucket.as_mut()?.take(now).err()?;
        Some(Decision::Refuse(limit.retry_after.then(|| whole_seconds(wait))))
    }

    fn fault(&mut self, path: &str) -> Option<FaultKind> {
        let fault = self
            .behaviour
            .faults
            .iter_mut()
            .find(|fault| fault.path == path && fault.times != Some(0))?;
        fault.times = fault.times.map(|times| times - 1);
        Some(fault.kind)
    }
}

fn whole_seconds(wait: Duration) -> u64 {
    wait.as_secs() + u64::from(wait.subsec_nanos() > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conduct(limit: Option<RateLimit>, faults: &[&str]) -> Conduct {
        let faults = faults.iter().map(|text| text.parse().expect("a fault")).collect();
        let behaviour = Behaviour { limit, faults, ..Behaviour::default() };
        Conduct::new(behaviour, Instant::now())
    }

    fn limit(text: &str) -> RateLimit {
        text.parse().expect("a rate limit")
    }

    #[tokio::test(start_paused = true)]
    async fn faults_of_one_path_happen_in_their_order_and_then_end() {
        let mut conduct = conduct(None, &["status:500*2@/a", "cut*1@/a", "hang@/b"]);
        let decisions: Vec<_> = (0..4).map(|_| conduct.decide("/a", Instant::now())).collect();
        assert_eq!(
            decisions,
            [
                Decision::Fault(FaultKind::Status(500)),
                Decision::Fault(FaultKind::Status(500)),
                Decision::Fault(FaultKind::Cut),
                Decision::Answer,
            ]
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_refused_request_uses_up_no_fault() {
        let mut conduct = conduct(Some(limit("1/10s")), &["cut*1@/a"]);
        assert_eq!(conduct.decide("/b", Instant::now()), Decision::Answer);
        assert_eq!(conduct.decide("/a", Instant::now()), Decision::Refuse(None));
        tokio::time::advance(Duration::from_secs(10)).await;
        assert_eq!(conduct.decide("/a", Instant::now()), Decision::Fault(FaultKind::Cut));
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_the_wait_rounded_up() {
        let mut conduct = conduct(Some(RateLimit { retry_after: true, ..limit("4/10s") }), &[]);
        for _ in 0..4 {
            assert_eq!(conduct.decide("/", Instant::now()), Decision::Answer);
        }
        assert_eq!(conduct.decide("/", Instant::now()), Decision::Refuse(Some(3)));
        tokio::time::advance(Duration::from_millis(2_499)).await;
        assert_eq!(conduct.decide("/", Instant::now()), Decision::Refuse(Some(1)));
    }

    #[tokio::test(start_paused = true)]
    async fn a_cached_path_is_free_but_not_after_a_fault() {
        let exempt = RateLimit { cached_exempt: true, ..limit("3/10s") };
        let mut conduct = conduct(Some(exempt), &["status:500*1@/a"]);
        assert_eq!(conduct.decide("/a", Instant::now()), Decision::Fault(FaultKind::Status(500)));
        assert_eq!(conduct.decide("/a", Instant::now()), Decision::Answer);
        for _ in 0..5 {
            assert_eq!(conduct.decide("/a", Instant::now()), Decision::Answer);
        }
        assert_eq!(conduct.decide("/b", Instant::now()), Decision::Answer);
        assert_eq!(conduct.decide("/c", Instant::now()), Decision::Refuse(None));
        assert_eq!(conduct.decide("/b", Instant::now()), Decision::Answer);
    }
}
