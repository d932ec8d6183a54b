//! What reads the texts of clients, for the fuzz targets and the property tests: never a panic, whatever comes.

use actix_web::web::Query;
use serde::de::DeserializeOwned;

use crate::cursor;
use crate::query::{LimitQuery, StatusQuery, UpdateQuery};
use crate::shows_query::ShowsQuery;

/// Reads a query as each route with a query does.
#[doc(hidden)]
pub fn read_query(text: &str) {
    if let Some(query) = read::<UpdateQuery>(text) {
        let _ = query.parameters();
    }
    if let Some(query) = read::<StatusQuery>(text) {
        let _ = query.wait();
    }
    if let Some(query) = read::<LimitQuery>(text) {
        let limit = query.limit(10);
        assert!(limit.is_err() || limit.is_ok_and(|limit| (1..=1000).contains(&limit)));
    }
    if let Some(query) = read::<ShowsQuery>(text) {
        let _ = query.fields();
        if let Ok(asked) = query.query() {
            assert!((1..=1000).contains(&asked.limit));
        }
    }
}

/// Reads a cursor as one of the list that `query` describes. One that is taken is the only text of its place.
#[doc(hidden)]
pub fn read_any_cursor(query: &str, text: &str) {
    if let Some(position) = cursor::decode(query, text) {
        assert_eq!(cursor::encode(query, &position), text);
    }
}

/// Reads what is behind a cursor's checksum, which random bytes never match.
#[doc(hidden)]
pub fn read_place(bytes: &[u8]) {
    if let Some(position) = cursor::place(bytes) {
        read_any_cursor("", &cursor::encode("", &position));
        assert!(cursor::decode("", &cursor::encode("", &position)).is_some());
    }
}

fn read<T: DeserializeOwned>(text: &str) -> Option<T> {
    Query::from_query(text).ok().map(Query::into_inner)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// A query that is nearly right: its names are, and some of its values.
    fn query() -> impl Strategy<Value = String> {
        let name = prop::sample::select(vec![
            "years",
            "top",
            "mode",
            "wait",
            "limit",
            "q",
            "language",
            "premiered_from",
            "premiered_to",
            "min_rating",
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
        fn no_query_makes_reading_panic(text in ".{0,200}") {
            read_query(&text);
        }

        #[test]
        fn nor_does_one_that_is_nearly_right(text in query()) {
            read_query(&text);
        }

        #[test]
        fn no_place_makes_reading_panic(bytes: Vec<u8>, tag in "[nirt]") {
            read_place(&bytes);
            let with_tag = [&bytes[..bytes.len().min(4)], tag.as_bytes(), &bytes];
            read_place(&with_tag.concat());
        }
    }
}
