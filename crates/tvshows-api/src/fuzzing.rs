//! Entry points to the parsers of client input, for the fuzz targets and property tests. They never panic.

use actix_web::web::Query;
use jiff::civil::date;
use serde::de::DeserializeOwned;
use tvshows_core::Table;
use tvshows_export::Format;

use crate::extract::cursor;
use crate::extract::filter_query;
use crate::extract::query::{ExportQuery, LimitQuery, StatusQuery, UpdateQuery};
use crate::extract::schedule_query::{CalendarQuery, DaysQuery};
use crate::extract::shows_query::ShowsQuery;

/// Parses a query in the same way as the routes.
#[doc(hidden)]
pub fn parse_query(text: &str) {
    if let Some(query) = parse::<UpdateQuery>(text) {
        let _ = query.parameters();
    }
    if let Some(query) = parse::<StatusQuery>(text) {
        let _ = query.wait();
    }
    if let Some(query) = parse::<ExportQuery>(text) {
        let _ = (query.dialect(Format::Csv), query.filter(Table::AllShows));
    }
    if let Some(query) = parse::<LimitQuery>(text) {
        let limit = query.limit(10);
        assert!(limit.is_err() || limit.is_ok_and(|limit| (1..=1000).contains(&limit)));
    }
    let today = date(2026, 11, 27);
    if let Some(query) = parse::<DaysQuery>(text)
        && let Ok(schedule) = query.parse(today)
    {
        assert!(schedule.first <= schedule.last);
    }
    if let Some(query) = parse::<CalendarQuery>(text) {
        let _ = query.parse(today).map(|calendar| filter_query::description(&calendar.filter));
    }
    if let Some(query) = parse::<ShowsQuery>(text)
        && let Ok(list) = query.parse()
    {
        assert!((1..=1000).contains(&list.query.limit));
        let _ = list.cache_key();
    }
}

/// Decodes a cursor of the list that `scope` identifies. A position has exactly one valid encoding.
#[doc(hidden)]
pub fn decode_cursor(scope: &str, text: &str) {
    if let Some(position) = cursor::decode(scope, text) {
        assert_eq!(cursor::encode(scope, &position), text);
    }
}

/// Decodes what follows a cursor's checksum, which random bytes never match.
#[doc(hidden)]
pub fn decode_position(payload: &[u8]) {
    if let Some(position) = cursor::decode_position(payload) {
        decode_cursor("", &cursor::encode("", &position));
        assert!(cursor::decode("", &cursor::encode("", &position)).is_some());
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Option<T> {
    Query::from_query(text).ok().map(Query::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Valid names, and some valid values.
    fn query() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec![
            "years",
            "top",
            "mode",
            "wait",
            "previous_signature",
            "limit",
            "dialect",
            "id",
            "date",
            "days",
            "q",
            "language",
            "premiered_from",
            "premiered_to",
            "min_rating",
            "max_rating",
            "country",
            "facets",
            "sort",
            "cursor",
            "fields",
        ]);
        let value = prop_oneof![
            "[0-9]{1,5}",
            "-?[0-9.e+]{0,12}",
            "[0-9]{4}-[0-9]{2}-[0-9]{2}",
            "-?(name|rating|relevance|id)",
            "(%[0-9a-fA-F]{2}){0,8}",
            "[A-Za-z0-9_-]{0,40}",
            ".{0,20}",
        ];
        let pairs = prop::collection::vec((name, value), 0..4);
        pairs.prop_map(|pairs| {
            let pairs: Vec<_> =
                pairs.iter().map(|(name, value)| format!("{name}={value}")).collect();
            pairs.join("&")
        })
    }

    proptest! {
        #[test]
        fn no_query_makes_parsing_panic(text in ".{0,200}") {
            parse_query(&text);
        }

        #[test]
        fn nor_does_one_that_is_nearly_right(text in query()) {
            parse_query(&text);
        }

        #[test]
        fn no_position_makes_decoding_panic(bytes: Vec<u8>, tag in "[nirt]") {
            decode_position(&bytes);
            let with_tag = [&bytes[..bytes.len().min(4)], tag.as_bytes(), &bytes];
            decode_position(&with_tag.concat());
        }
    }
}
