use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::error::Error;

/// How many requests the simulator accepts before it responds with 429.
///
/// A token bucket: a burst of `calls` is accepted immediately, and one more call every `per / calls`.
/// With zero `calls` every request is rate-limited.
///
/// The text form is `CALLS/PERIOD` (`20/10s`, `500/1m`) with both flags off: TVmaze does not promise
/// `Retry-After`, and counting every request is the strict reading of its documentation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The size of the bucket.
    pub calls: u32,
    /// The time in which an empty bucket refills.
    pub per: Duration,
    /// Whether a 429 has a `Retry-After` header: the seconds until the next token, rounded up.
    pub retry_after: bool,
    /// Whether only the first response for a path costs a token, as if an edge cache served the later
    /// ones. A fault does not put its path into the cache.
    pub exempt_cached: bool,
}

impl FromStr for RateLimit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::ParseRateLimit(text.to_owned()))
    }
}

impl fmt::Display for RateLimit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.per.subsec_nanos() == 0 {
            write!(formatter, "{}/{}s", self.calls, self.per.as_secs())
        } else {
            write!(formatter, "{}/{}ms", self.calls, self.per.as_millis())
        }
    }
}

fn parse(text: &str) -> Option<RateLimit> {
    let (calls, per) = text.split_once('/')?;
    let calls = calls.parse().ok().filter(|&calls| calls > 0)?;
    let per = parse_period(per).filter(|per| !per.is_zero())?;
    Some(RateLimit { calls, per, retry_after: false, exempt_cached: false })
}

fn parse_period(text: &str) -> Option<Duration> {
    let unit = text.find(|character: char| !character.is_ascii_digit())?;
    let (count, unit) = text.split_at(unit);
    let milliseconds: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        _ => return None,
    };
    let count: u64 = count.parse().ok()?;
    Some(Duration::from_millis(count.checked_mul(milliseconds)?))
}
