//! Dates and times as TVmaze writes them.
#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "the signatures that serde requires"
)]

use std::borrow::Cow;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Parses a date, a time or a timestamp; `None` if it is null, empty or invalid, such as `1979-00-17`.
pub(super) fn parse_or_none<'de, T: FromStr, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<T>, D::Error> {
    /// Copied only if it has escapes.
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

    let text = Option::<Text<'_>>::deserialize(deserializer)?;
    Ok(text.and_then(|Text(text)| text.parse().ok()))
}

pub(super) fn date_or_empty<S: Serializer>(
    date: &Option<Date>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match date {
        Some(date) => date.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}

/// Writes `HH:MM`, with seconds only if they are not zero.
pub(super) fn time_or_empty<S: Serializer>(
    time: &Option<Time>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) if (time.second(), time.subsec_nanosecond()) == (0, 0) => {
            serializer.collect_str(&time.strftime("%H:%M"))
        }
        Some(time) => time.serialize(serializer),
        None => serializer.serialize_str(""),
    }
}

/// Writes a timestamp with `+00:00` where jiff would write `Z`.
pub(super) fn with_utc_offset<S: Serializer>(
    timestamp: &Option<Timestamp>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    let text = timestamp.map(|timestamp| timestamp.display_with_offset(Offset::UTC).to_string());
    text.serialize(serializer)
}

/// A Unix time in seconds; `None` if it is null or out of range.
pub(super) mod unix_seconds {
    use jiff::Timestamp;
    pub(crate) use jiff::fmt::serde::timestamp::second::optional::serialize;
    use serde::{Deserialize, Deserializer};

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<Timestamp>, D::Error> {
        let seconds = Option::<i64>::deserialize(deserializer)?;
        Ok(seconds.and_then(|seconds| Timestamp::from_second(seconds).ok()))
    }
}
