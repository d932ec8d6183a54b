use jiff::{Timestamp, TimestampRound, Unit};

/// The current time in whole seconds: the precision of stored rows.
pub(crate) fn now_secs() -> Timestamp {
    let now = Timestamp::now();
    Timestamp::from_second(now.as_second()).unwrap_or(now)
}

/// The current time in milliseconds: the precision of a status.
pub(crate) fn now_millis() -> Timestamp {
    let now = Timestamp::now();
    now.round(TimestampRound::new().smallest(Unit::Millisecond)).unwrap_or(now)
}
