use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// The day in UTC.
pub(crate) fn today() -> Date {
    Timestamp::now().to_zoned(TimeZone::UTC).date()
}
