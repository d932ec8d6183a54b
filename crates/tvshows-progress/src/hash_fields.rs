//! A status as the fields of a Redis hash: plain text, empty for null.

use std::collections::HashMap;

use serde_json::{Map, Value};
use tvshows_core::{RunId, RunStatus, TrackerError};

/// The fields whose value is the text itself. Other values are JSON.
const STRING_FIELDS: &[&str] = &[
    "request_id",
    "state",
    "step",
    "error",
    "started_at",
    "updated_at",
    "finished_at",
    "mode",
    "trigger",
    "instance",
];

pub(crate) fn encode(status: &RunStatus) -> Result<Vec<(String, String)>, TrackerError> {
    let invalid = |source| TrackerError::InvalidStatus { run: status.request_id, source };
    let text = |value| match value {
        Value::Null => String::new(),
        Value::String(text) => text,
        other => other.to_string(),
    };
    Ok(status
        .fields()
        .map_err(invalid)?
        .into_iter()
        .map(|(name, value)| (name, text(value)))
        .collect())
}

/// Decodes a hash. Returns `None` if it is empty, which is how Redis returns a missing key.
pub(crate) fn decode(
    run: RunId,
    fields: HashMap<String, String>,
) -> Result<Option<RunStatus>, TrackerError> {
    if fields.is_empty() {
        return Ok(None);
    }
    let value = |name: &str, text: String| {
        if text.is_empty() && name != "instance" {
            Ok(Value::Null)
        } else if STRING_FIELDS.contains(&name) {
            Ok(Value::String(text))
        } else {
            serde_json::from_str(&text)
        }
    };
    let object: Result<Map<String, Value>, serde_json::Error> = fields
        .into_iter()
        .map(|(name, text)| value(&name, text).map(|value| (name, value)))
        .collect();
    object
        .and_then(|object| serde_json::from_value(Value::Object(object)))
        .map(Some)
        .map_err(|source| TrackerError::InvalidStatus { run, source })
}
