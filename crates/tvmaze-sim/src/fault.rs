use std::fmt;
use std::str::FromStr;

use crate::Error;

/// One thing that goes wrong with one path.
///
/// As text it is `KIND[:ARG][*TIMES]@PATH`: `status:500@/shows?page=7`, `hang@/shows/1/cast`,
/// `cut*2@/shows?page=3`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// Path and query, exactly as requested.
    pub path: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// How many requests it happens to; `None` is every one.
    pub times: Option<u32>,
}

/// What can go wrong with an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FaultKind {
    /// Another status with TVmaze's error body; 500 if the number is no HTTP status.
    Status(u16),
    /// The head promises the whole body and the connection ends half-way through it.
    Cut,
    /// 200 and a body that is not JSON.
    Malformed,
    /// 200 and an object where a list belongs.
    Object,
    /// No answer, and the connection stays open.
    Hang,
    /// The connection is reset before anything of an answer.
    Reset,
    /// A 404 for something that exists.
    Missing,
}

impl FromStr for Fault {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        parse(text).ok_or_else(|| Error::Fault { text: text.to_owned() })
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
        match self {
            Self::Status(status) => write!(formatter, "status:{status}"),
            Self::Cut => formatter.write_str("cut"),
            Self::Malformed => formatter.write_str("malformed"),
            Self::Object => formatter.write_str("object"),
            Self::Hang => formatter.write_str("hang"),
            Self::Reset => formatter.write_str("reset"),
            Self::Missing => formatter.write_str("missing"),
        }
    }
}

fn parse(text: &str) -> Option<Fault> {
    let (what, path) = text.split_once('@')?;
    if !path.starts_with('/') {
        return None;
    }
    let (kind, times) = match what.split_once('*') {
        None => (what, None),
        Some((kind, times)) => (kind, Some(times.parse().ok().filter(|&times| times > 0)?)),
    };
    Some(Fault { path: path.to_owned(), kind: parse_kind(kind)?, times })
}

fn parse_kind(text: &str) -> Option<FaultKind> {
    Some(match text {
        "cut" => FaultKind::Cut,
        "malformed" => FaultKind::Malformed,
        "object" => FaultKind::Object,
        "hang" => FaultKind::Hang,
        "reset" => FaultKind::Reset,
        "missing" => FaultKind::Missing,
        _ => {
            let status = text.strip_prefix("status:")?.parse().ok()?;
            (200..=599).contains(&status).then_some(FaultKind::Status(status))?
        }
    })
}
