use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Value};

/// A JSON value as text, exactly as it was received.
///
/// TVmaze's nested objects (a network, an image, the links of a show) are stored and served without
/// being interpreted, so their text is all that the domain needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Serializes `value`.
    pub fn from_value<T: Serialize + ?Sized>(value: &T) -> Result<RawJson, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(RawJson)
    }

    /// Validates JSON text and keeps it unchanged.
    pub fn parse(text: String) -> Result<RawJson, serde_json::Error> {
        RawValue::from_string(text).map(RawJson)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &RawJson) -> bool {
        self.as_str() == other.as_str()
    }
}

/// The keys of TVmaze's episodes and of the entries of its casts. Every object has them in this order; unknown ones
/// come last.
const KEYS: [&str; 30] = [
    "person",
    "character",
    "href",
    "id",
    "url",
    "name",
    "code",
    "timezone",
    "country",
    "birthday",
    "deathday",
    "gender",
    "season",
    "number",
    "type",
    "airdate",
    "airtime",
    "airstamp",
    "runtime",
    "rating",
    "average",
    "image",
    "medium",
    "original",
    "summary",
    "updated",
    "self",
    "voice",
    "show",
    "_links",
];

/// An object that serializes with its keys in TVmaze's order.
#[derive(Debug)]
pub struct TvmazeObject(pub(crate) Map<String, Value>);

impl Serialize for TvmazeObject {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(in_order(&self.0))
    }
}

/// A value whose objects serialize with their keys in TVmaze's order.
pub(crate) struct Ordered<'a>(pub(crate) &'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Object(object) => serializer.collect_map(in_order(object)),
            Value::Array(values) => serializer.collect_seq(values.iter().map(Ordered)),
            value => value.serialize(serializer),
        }
    }
}

/// The fields of an object in TVmaze's order.
pub(crate) fn in_order(
    object: &Map<String, Value>,
) -> impl Iterator<Item = (&String, Ordered<'_>)> {
    let mut entries: Vec<_> = object.iter().map(|(key, value)| (key, Ordered(value))).collect();
    entries.sort_by_cached_key(|(key, _)| rank(key));
    entries.into_iter()
}

fn rank(key: &str) -> usize {
    KEYS.iter().position(|known| *known == key).unwrap_or(KEYS.len())
}

/// TVmaze writes a whole rating as `8`, never `8.0`.
pub(crate) fn json_number(number: f64) -> Value {
    #[expect(clippy::cast_possible_truncation, reason = "checked: whole and small")]
    if number.fract() == 0.0 && number.abs() < 1e9 {
        Value::from(number as i64)
    } else {
        Value::from(number)
    }
}

/// Returns what `known` lacks of an object, so that [`merge`] of both is the object. `known` must not have keys that
/// the object lacks.
pub(crate) fn remainder(
    object: Map<String, Value>,
    known: &Map<String, Value>,
) -> Map<String, Value> {
    let rest = object.into_iter().filter_map(|(key, value)| match (value, known.get(&key)) {
        (value, Some(known)) if value == *known => None,
        (Value::Object(value), Some(Value::Object(known))) => {
            Some((key, Value::Object(remainder(value, known))))
        }
        (value, _) => Some((key, value)),
    });
    rest.collect()
}

/// Adds the values of `rest` to an object. They take precedence, except that nested objects are merged.
pub(crate) fn merge(
    mut object: Map<String, Value>,
    rest: &Map<String, Value>,
) -> Map<String, Value> {
    for (key, value) in rest {
        let merged = match (object.remove(key), value) {
            (Some(Value::Object(object)), Value::Object(rest)) => {
                Value::Object(merge(object, rest))
            }
            (_, value) => value.clone(),
        };
        object.insert(key.clone(), merged);
    }
    object
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn any_object() -> impl Strategy<Value = Map<String, Value>> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i8>().prop_map(Value::from),
            "[ab]?".prop_map(Value::from),
            Just(json!([])),
        ];
        let value = leaf.prop_recursive(3, 20, 4, |value| {
            prop::collection::btree_map("[abc]", value, 0..4)
                .prop_map(|object| Value::Object(object.into_iter().collect()))
        });
        prop::collection::btree_map("[abcd]", value, 0..5)
            .prop_map(|object| object.into_iter().collect())
    }

    /// A part of an object: each value, or what is in it, may be missing.
    fn part(
        object: &Map<String, Value>,
        choices: &mut impl Iterator<Item = bool>,
    ) -> Map<String, Value> {
        let parts = object.iter().filter_map(|(key, value)| {
            let is_known = choices.next().unwrap_or_default();
            let value = match value {
                Value::Object(nested) => Value::Object(part(nested, choices)),
                value => value.clone(),
            };
            is_known.then(|| (key.clone(), value))
        });
        parts.collect()
    }

    #[test]
    fn objects_are_written_in_tvmazes_order() {
        for text in [
            r#"{"id":1,"url":"u","name":"Pilot","season":1,"number":null,"type":"regular","airdate":"2013-06-24","airtime":"22:00","airstamp":"2013-06-25T02:00:00+00:00","runtime":60,"rating":{"average":7.5},"image":{"medium":"m","original":"o"},"summary":null,"_links":{"self":{"href":"h"},"show":{"href":"h","name":"Under the Dome"}},"new":[{"id":2,"name":"n"}]}"#,
            r#"{"person":{"id":1,"url":"u","name":"n","country":{"name":"United States","code":"US","timezone":"America/New_York"},"birthday":"1979-07-17","deathday":null,"gender":"Male","image":null,"updated":5,"_links":{"self":{"href":"h"}}},"character":{"id":2,"url":"u","name":"c","image":{"medium":"m","original":"o"},"_links":{"self":{"href":"h"}}},"self":false,"voice":true}"#,
        ] {
            let object = TvmazeObject(serde_json::from_str(text).unwrap());
            assert_eq!(serde_json::to_string(&object).unwrap(), text);
        }
    }

    proptest! {
        #[test]
        fn what_is_known_and_the_remainder_are_the_object(
            object in any_object(),
            choices in prop::collection::vec(any::<bool>(), 40),
        ) {
            let known = part(&object, &mut choices.into_iter());
            let rest = remainder(object.clone(), &known);
            prop_assert_eq!(merge(known, &rest), object);
        }
    }
}
