use std::fmt;

use serde_json::{Map, Value};

use super::salvage;

/// Reads the values of an object, and notes those of another type than expected.
pub(super) struct Reader<'a> {
    path: String,
    object: Option<&'a Map<String, Value>>,
}

/// An object without a valid id.
pub(super) struct InvalidId(String);

impl fmt::Display for InvalidId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` is missing or invalid", self.0)
    }
}

impl<'a> Reader<'a> {
    pub(super) fn new(object: &'a Map<String, Value>) -> Reader<'a> {
        Reader { path: String::new(), object: Some(object) }
    }

    fn path_of(&self, key: &str) -> String {
        if self.path.is_empty() { key.to_owned() } else { format!("{}.{key}", self.path) }
    }

    fn value(&self, key: &str) -> Option<&'a Value> {
        self.object?.get(key).filter(|value| !value.is_null())
    }

    /// The value of a key, unless it is absent, null or not what `convert` accepts.
    fn read<T>(
        &self,
        key: &str,
        malformed: &mut Vec<String>,
        convert: fn(&'a Value) -> Option<T>,
    ) -> Option<T> {
        let converted = convert(self.value(key)?);
        if converted.is_none() {
            malformed.push(self.path_of(key));
        }
        converted
    }

    pub(super) fn text(&self, key: &str, malformed: &mut Vec<String>) -> Option<String> {
        self.read(key, malformed, |value| value.as_str().map(str::to_owned))
    }

    pub(super) fn flag(&self, key: &str, malformed: &mut Vec<String>) -> Option<bool> {
        self.read(key, malformed, Value::as_bool)
    }

    pub(super) fn integer(&self, key: &str, malformed: &mut Vec<String>) -> Option<i64> {
        self.read(key, malformed, Value::as_i64)
    }

    pub(super) fn number(&self, key: &str, malformed: &mut Vec<String>) -> Option<f64> {
        self.read(key, malformed, |value| value.as_f64().filter(|number| number.is_finite()))
    }

    /// A nested object; empty if there is none.
    pub(super) fn object(&self, key: &str, malformed: &mut Vec<String>) -> Reader<'a> {
        Reader { path: self.path_of(key), object: self.read(key, malformed, Value::as_object) }
    }

    pub(super) fn id(&self) -> Result<u32, InvalidId> {
        let id = self.value("id").and_then(Value::as_u64);
        id.and_then(|id| u32::try_from(id).ok()).ok_or_else(|| InvalidId(self.path_of("id")))
    }

    /// A name must be there.
    pub(super) fn name(&self, malformed: &mut Vec<String>) -> String {
        if self.value("name").is_none() {
            malformed.push(self.path_of("name"));
        }
        self.text("name", malformed).unwrap_or_default()
    }
}

/// Replaces the values of `extra` that could not be read again, and notes them.
pub(super) fn mend_extra(extra: &mut Map<String, Value>, malformed: &mut Vec<String>) {
    for (key, value) in extra {
        if !salvage::survives(value) {
            malformed.push(salvage::as_text(key));
            *value = Value::from(value.to_string());
        }
    }
}
