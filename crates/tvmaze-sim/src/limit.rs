use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use crate::Error;

/// How many calls the simulator takes before it answers 429.
///
/// A token bucket: `calls` may come at once, and a call is earned back every
/// `per / calls`. Zero `calls` refuses everything.
///
/// As text it is `CALLS/PERIOD` (`20/10s`, `500/1m`), which sets neither of the two flags:
/// TVmaze promises no `Retry-After`, and the strict reading is that every call counts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RateLimit {
    /// The size of the bucket.
    pub calls: u32,
    /// How long an empty bucket takes to fill.
    pub per: Duration,
    /// Whether a 429 says in `Retry-After` when the next call is free, in whole seconds rounded up.
    pub retry_after: bool,
    /// Whether only the first answer of a path costs a call, as if an edge cache gave the later ones.
    ///
    /// A path whose request met a fault is not cached by that.
    pub cached_exempt: bool,
}

impl FromStr for RateLimit {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::RateLimit { text: text.to_owned() })
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
    let per = period(per).filter(|per| !per.is_zero())?;
    Some(RateLimit { calls, per, retry_after: false, cached_exempt: false })
}

fn period(text: &str) -> Option<Duration> {
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
