//! Decoding of valid JSON that `serde_json` rejects: lone surrogates, numbers out of range, deep nesting.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::de::{DeserializeOwned, Error as _};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// Values below this depth are not taken apart to find the one that is rejected.
const MAX_DEPTH: u32 = 8;

/// A decoded object that can have malformed values.
pub(super) trait Salvage: DeserializeOwned {
    /// The paths of its malformed values.
    fn malformed(&mut self) -> &mut Vec<String>;
}

/// Decodes a list whose body `serde_json` has rejected with `error`.
pub(super) fn list<T: Salvage>(
    body: &[u8],
    error: serde_json::Error,
) -> Result<Vec<T>, serde_json::Error> {
    // Valid JSON of another kind is not worth another attempt.
    if !error.is_syntax() {
        return Err(error);
    }
    let text = String::from_utf8_lossy(body);
    let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(&text) else { return Err(error) };
    let is_mended = matches!(text, Cow::Owned(_));
    let element = |(index, raw): (usize, &&RawValue)| {
        let element = object(raw.get(), is_mended);
        element.map_err(|error| serde_json::Error::custom(format_args!("[{index}]: {error}")))
    };
    elements.iter().enumerate().map(element).collect()
}

/// Decodes an object whose body `serde_json` has rejected with `error`.
pub(super) fn single<T: Salvage>(
    body: &[u8],
    error: serde_json::Error,
) -> Result<T, serde_json::Error> {
    if !error.is_syntax() {
        return Err(error);
    }
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<&RawValue>(&text) {
        Ok(raw) => object(raw.get(), matches!(text, Cow::Owned(_))),
        Err(_) => Err(error),
    }
}

/// `is_mended` is whether the body was not UTF-8.
fn object<T: Salvage>(raw: &str, is_mended: bool) -> Result<T, serde_json::Error> {
    let mut notes = Vec::new();
    let value = value(raw, "", &mut notes);
    let mut object: T = serde_json::from_value(value)?;
    if is_mended && raw.contains(char::REPLACEMENT_CHARACTER) {
        notes.push("invalid UTF-8, replaced with U+FFFD".to_owned());
    }
    let malformed = object.malformed();
    malformed.retain(|path| !notes.iter().any(|note| note.starts_with(path.as_str())));
    malformed.append(&mut notes);
    Ok(object)
}

/// Decodes valid JSON to the nearest value that can be stored, and notes the paths of what had to be replaced.
pub(super) fn value(raw: &str, path: &str, notes: &mut Vec<String>) -> Value {
    decompose(raw, path, MAX_DEPTH, notes)
}

fn decompose(raw: &str, path: &str, depth: u32, notes: &mut Vec<String>) -> Value {
    if let Some(value) = parse(raw) {
        return value;
    }
    let mended = replace_lone_surrogates(raw);
    let mended = mended.as_deref();
    if depth > 0 {
        type Fields<'a> = BTreeMap<String, &'a RawValue>;
        let fields = serde_json::from_str::<Fields>(raw).or_else(|error| {
            // A key has a lone surrogate.
            let fields = mended.ok_or(error).and_then(serde_json::from_str::<Fields>);
            fields.inspect(|_| notes.push(replaced(path)))
        });
        if let Ok(fields) = fields {
            let field = |(key, raw): (String, &RawValue)| {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                (key, decompose(raw.get(), &path, depth - 1, notes))
            };
            return Value::Object(fields.into_iter().map(field).collect());
        }
        if let Ok(elements) = serde_json::from_str::<Vec<&RawValue>>(raw) {
            let element = |(index, raw): (usize, &RawValue)| {
                decompose(raw.get(), &format!("{path}[{index}]"), depth - 1, notes)
            };
            return elements.into_iter().enumerate().map(element).collect();
        }
    }
    if let Some(value) = mended.and_then(parse) {
        notes.push(replaced(path));
        return value;
    }
    notes.push(as_text(path));
    Value::from(raw)
}

fn replaced(path: &str) -> String {
    format!("{path} (lone surrogates replaced with U+FFFD)")
}

/// The note about a value that is stored as its JSON text.
pub(super) fn as_text(path: &str) -> String {
    format!("{path} (stored as text)")
}

/// Parses JSON that can be stored and read again.
fn parse(raw: &str) -> Option<Value> {
    let value = if raw.starts_with('{') {
        // A `Value` would mistake an object with a key that `serde_json` reserves for itself.
        Value::Object(serde_json::from_str::<Map<String, Value>>(raw).ok()?)
    } else {
        serde_json::from_str(raw).ok()?
    };
    survives(&value).then_some(value)
}

/// Whether a value survives a round trip through its text: a key that `serde_json` reserves for itself can hide
/// more levels than it parses.
pub(super) fn survives(value: &Value) -> bool {
    match value {
        Value::Object(object) => {
            let read = serde_json::from_str::<Map<String, Value>>(&value.to_string());
            read.is_ok_and(|read| read == *object)
        }
        Value::Array(_) => {
            serde_json::from_str::<Value>(&value.to_string()).is_ok_and(|read| read == *value)
        }
        _ => true,
    }
}

/// Replaces the escapes of surrogates without a counterpart with that of U+FFFD; `None` if there are none.
fn replace_lone_surrogates(json: &str) -> Option<String> {
    let escape = |at: usize| {
        let digits = json.get(at..at + 6)?.strip_prefix("\\u")?;
        u16::from_str_radix(digits, 16).ok()
    };
    let (mut mended, mut copied, mut at) = (String::new(), 0, 0);
    while let Some(found) = memchr::memchr(b'\\', &json.as_bytes()[at..]) {
        let backslash = at + found;
        let is_low = |unit: Option<u16>| matches!(unit, Some(0xdc00..=0xdfff));
        at = backslash
            + match escape(backslash) {
                Some(0xd800..=0xdbff) if is_low(escape(backslash + 6)) => 12,
                Some(0xd800..=0xdfff) => {
                    mended += &json[copied..backslash];
                    mended += "\\ufffd";
                    copied = backslash + 6;
                    6
                }
                _ => 2,
            };
    }
    (copied > 0).then(|| mended + &json[copied..])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn salvaged(raw: &str) -> (Value, Vec<String>) {
        let mut notes = Vec::new();
        (value(raw, "", &mut notes), notes)
    }

    #[test]
    fn only_lone_surrogates_are_replaced() {
        let replaced = |text: &str| replace_lone_surrogates(text);
        assert_eq!(replaced(r#""a \ud83d b""#).as_deref(), Some(r#""a \ufffd b""#));
        assert_eq!(replaced(r#""\uDE00\ud83d""#).as_deref(), Some(r#""\ufffd\ufffd""#));
        assert_eq!(replaced(r#""\ud83d\ud83d\ude00""#).as_deref(), Some(r#""\ufffd\ud83d\ude00""#));
        for sound in [r#""\ud83d\ude00""#, r#""\\ud83d""#, r#""\\\\ud83d é""#, r#""\u00e9\n""#, "1"]
        {
            assert_eq!(replaced(sound), None, "{sound}");
        }
        assert_eq!(replaced(r#""\\\ud83d""#).as_deref(), Some(r#""\\\ufffd""#));
        assert_eq!(replaced(r#""\ud83d\n""#).as_deref(), Some(r#""\ufffd\n""#));
    }

    #[test]
    fn everything_else_comes_back_as_it_is() {
        let raw = r#"{"a": {"b": ["\ud83d", "c", {"d": 1e999}]}, "e": [1, null], "f": 2.5}"#;
        let (value, notes) = salvaged(raw);
        let b = json!(["\u{fffd}", "c", {"d": "1e999"}]);
        assert_eq!(value, json!({"a": {"b": b}, "e": [1, null], "f": 2.5}));
        let expected =
            ["a.b[0] (lone surrogates replaced with U+FFFD)", "a.b[2].d (stored as text)"];
        assert_eq!(notes, expected);
    }

    #[test]
    fn keys_are_mended_too() {
        let (value, notes) = salvaged(r#"{"x": {"\ud83d": 1, "b": 1e999}}"#);
        assert_eq!(value, json!({"x": {"\u{fffd}": 1, "b": "1e999"}}));
        assert_eq!(notes, ["x (lone surrogates replaced with U+FFFD)", "x.b (stored as text)"]);
    }

    #[test]
    fn what_is_too_deep_becomes_text() {
        let deep = "[".repeat(1000) + &"]".repeat(1000);
        let (value, notes) = salvaged(&format!(r#"{{"deep": {deep}, "a": 1}}"#));
        assert_eq!(value["a"], 1);
        assert_eq!(notes, [format!("deep{} (stored as text)", "[0]".repeat(7))]);
        assert!(survives(&value));
    }
}
