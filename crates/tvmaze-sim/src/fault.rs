use std::fmt;
use std::str::FromStr;

use crate::error::Error;

/// A fault to inject into the responses for one path.
///
/// The text form is `KIND[:ARG][*TIMES]@PATH`: `status:500@/shows?page=7`, `hang@/shows/1/cast`,
/// `truncate*2@/shows?page=3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Path and query, exactly as requested, except that `embed[]` can be percent-encoded or not.
    pub path: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many requests it affects; `None` means all.
    pub times: Option<u32>,
}

/// What can go wrong with a response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// This status with TVmaze's error body; 500 if the number is not an HTTP status.
    Status(u16),
    /// The head has the length of the whole body, but the connection closes after half of it.
    Truncate,
    /// 200 with a body that is not JSON.
    Malformed,
    /// 200 with an object in place of a list.
    WrongShape,
    /// No response, and the connection stays open.
    Hang,
    /// The connection is reset before any response.
    Reset,
    /// 404 for something that exists.
    NotFound,
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::ParseFault(text.to_owned()))
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}", self.kind)?;
        if let Some(times) = self.times {
            write!(formatter, "*{times}")?;
        }
        write!(formatter, "@{}", self.path)
    }
}

impl fmt::Display for FaultKind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Status(status) => return write!(formatter, "status:{status}"),
            Self::Truncate => "truncate",
            Self::Malformed => "malformed",
            Self::WrongShape => "wrong-shape",
            Self::Hang => "hang",
            Self::Reset => "reset",
            Self::NotFound => "not-found",
        })
    }
}

fn parse(text: &str) -> Option<Fault> {
    let (kind, path) = text.split_once('@')?;
    if !path.starts_with('/') {
        return None;
    }
    let (kind, times) = match kind.split_once('*') {
        None => (kind, None),
        Some((kind, times)) => (kind, Some(times.parse().ok().filter(|&times| times > 0)?)),
    };
    Some(Fault { path: path.to_owned(), kind: parse_kind(kind)?, times })
}

/// `cut`, `object` and `missing` are aliases for scripts written before the kinds were renamed.
fn parse_kind(text: &str) -> Option<FaultKind> {
    Some(match text {
        "truncate" | "cut" => FaultKind::Truncate,
        "malformed" => FaultKind::Malformed,
        "wrong-shape" | "object" => FaultKind::WrongShape,
        "hang" => FaultKind::Hang,
        "reset" => FaultKind::Reset,
        "not-found" | "missing" => FaultKind::NotFound,
        _ => {
            let status = text.strip_prefix("status:")?.parse().ok()?;
            (200..=599).contains(&status).then_some(FaultKind::Status(status))?
        }
    })
}
