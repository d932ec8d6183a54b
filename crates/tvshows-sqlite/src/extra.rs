//! The column `extra`: what a row has beyond its other columns.

use rusqlite::Row;
use serde_json::{Map, Value};

use crate::error::{SqlResult, invalid_text};

/// Serializes the values; `NULL` if there are none.
pub(crate) fn to_text(extra: &Map<String, Value>) -> SqlResult<Option<String>> {
    let text = (!extra.is_empty()).then(|| serde_json::to_string(extra)).transpose();
    text.map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))
}

pub(crate) fn read(row: &Row<'_>, column: usize) -> SqlResult<Map<String, Value>> {
    match row.get_ref(column)?.as_str_or_null()? {
        Some(text) => serde_json::from_str(text).map_err(|error| invalid_text(column, error)),
        None => Ok(Map::new()),
    }
}
