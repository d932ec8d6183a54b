use std::time::Duration;

use crate::fault::Fault;
use crate::rate_limit::RateLimit;

/// How the simulator behaves. The default has no latency, no rate limit and no faults.
#[derive(Clone, Debug, Default)]
pub struct SimConfig {
    /// The delay before every response, including 429s and faults.
    pub latency: Duration,
    /// The rate limit, shared by all connections.
    pub limit: Option<RateLimit>,
    /// The faults to inject. If several match a path, the first one that is not used up applies, so
    /// their order is a script. A rate-limited request does not use up a fault.
    pub faults: Vec<Fault>,
}
