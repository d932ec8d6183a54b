//! Texts with a NUL character, which PostgreSQL cannot store. Their visible form has U+2400 in its place, and the exact
//! texts are in a JSON object, which escapes it.

use std::borrow::Cow;

use serde_json::{Map, Value};

use crate::error::{Error, corrupt};

/// Returns the form of a text that PostgreSQL can store.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.contains('\0') { text.replace('\0', "\u{2400}").into() } else { text.into() }
}

/// Returns a JSON object with the texts that have a NUL character, or `None` if none has.
pub(crate) fn exact_texts<'a>(
    columns: impl Iterator<Item = (&'static str, Option<&'a str>)>,
) -> Option<String> {
    let with_nul = columns.filter_map(|(column, text)| {
        let text = text.filter(|text| text.contains('\0'))?;
        Some((column.to_owned(), Value::from(text)))
    });
    let texts: Map<String, Value> = with_nul.collect();
    (!texts.is_empty()).then(|| Value::Object(texts).to_string())
}

/// The exact texts of a row.
pub(crate) struct ExactTexts(Map<String, Value>);

impl ExactTexts {
    pub(crate) fn parse(json: Option<&str>) -> Result<ExactTexts, Error> {
        let texts = json.map(serde_json::from_str).transpose();
        texts
            .map(|texts| ExactTexts(texts.unwrap_or_default()))
            .map_err(|error| corrupt(format!("exact_texts: {error}")))
    }

    /// Returns the exact text of a column, given its visible form.
    pub(crate) fn restore(&self, column: &str, visible: String) -> String {
        match self.0.get(column) {
            Some(Value::String(exact)) => exact.clone(),
            _ => visible,
        }
    }
}
