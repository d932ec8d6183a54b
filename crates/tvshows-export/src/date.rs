use jiff::civil::{Date, date};

/// Whether a text is a date that every Parquet reader accepts: an existing day, as `YYYY-MM-DD`, in a year from
/// 1583 to 9999.
///
/// Spark 3 rejects files with dates before the Gregorian calendar, and Python has no year 0.
#[must_use]
pub fn is_date(text: &str) -> bool {
    days_since_epoch(text).is_some()
}

/// The value of a Parquet `DATE`, or `None` where [`is_date`] is false.
pub(crate) fn days_since_epoch(text: &str) -> Option<i32> {
    const EPOCH: Date = date(1970, 1, 1);
    let parsed: Date = text.parse().ok()?;
    // The parser also accepts other formats.
    if parsed.year() < 1583 || parsed.to_string() != text {
        return None;
    }
    i32::try_from(parsed.duration_since(EPOCH).as_hours() / 24).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn days_count_from_the_epoch() {
        for (text, days) in [
            ("1970-01-01", 0),
            ("1969-12-31", -1),
            ("2000-02-29", 11_016),
            ("1583-01-01", -141_349),
            ("9999-12-31", 2_932_896),
        ] {
            assert_eq!(days_since_epoch(text), Some(days), "{text}");
        }
    }

    #[test]
    fn what_is_no_date_stays_text() {
        for text in [
            "",
            "TBA",
            "2021",
            "2021-02",
            "2021-02-30",
            "2021-02-29",
            "2021-13-01",
            "2021-00-01",
            "2021-01-00",
            "0000-00-00",
            "0000-01-01",
            "1582-12-31",
            "10000-01-01",
            "-2021-01-01",
            "+002021-01-01",
            "20210101",
            "2021-1-1",
            "2021-01-01 ",
            " 2021-01-01",
            "2021-01-01T00:00:00Z",
            "2021-W01-1",
            "２０２１-01-01",
        ] {
            assert!(!is_date(text), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_has_its_own_number(days in -141_349..2_932_896_i32) {
            let day = date(1970, 1, 1).checked_add(jiff::Span::new().days(days)).unwrap();
            prop_assert_eq!(days_since_epoch(&day.to_string()), Some(days));
        }

        #[test]
        fn any_text_is_a_date_or_not(text: String) {
            let _ = is_date(&text);
        }
    }
}
