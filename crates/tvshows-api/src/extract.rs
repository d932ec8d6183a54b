//! Parses the text that clients send in paths and queries.

pub(crate) mod cursor;
pub(crate) mod filter_query;
pub(crate) mod path;
pub(crate) mod query;
pub(crate) mod schedule_query;
pub(crate) mod shows_query;
