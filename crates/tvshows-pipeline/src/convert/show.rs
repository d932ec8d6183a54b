use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Number, Value, json};
use strum::{EnumString, IntoStaticStr, VariantArray};
use tvshows_core::{RawJson, Show};

use super::details::Embedded;
use super::salvage::{self, Salvage};

/// A show decoded from TVmaze's JSON directly into the domain type. The client's own model would parse the
/// nested objects only to serialize them again.
pub(crate) struct TvmazeShow {
    pub(crate) show: Show,
    /// The paths of the values that do not fit their column. The column is NULL, and `extra` has the value.
    pub(crate) malformed: Vec<String>,
}

/// Decodes an index page that `serde_json` has rejected.
pub(crate) fn recover_page(
    body: &[u8],
    error: serde_json::Error,
) -> Result<Option<Vec<TvmazeShow>>, serde_json::Error> {
    salvage::list(body, error).map(Some)
}

/// Decodes a show that `serde_json` has rejected.
pub(crate) fn recover_show(
    body: &[u8],
    error: serde_json::Error,
) -> Result<Option<TvmazeShow>, serde_json::Error> {
    salvage::single(body, error).map(Some)
}

impl Salvage for TvmazeShow {
    fn malformed(&mut self) -> &mut Vec<String> {
        &mut self.malformed
    }
}

impl<'de> Deserialize<'de> for TvmazeShow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TvmazeShow, D::Error> {
        deserializer.deserialize_map(ShowVisitor { embedded: None })
    }
}

/// The keys of [`Show::FIELDS`].
#[derive(Debug, Clone, Copy, EnumString, IntoStaticStr, VariantArray)]
#[strum(serialize_all = "camelCase")]
enum Field {
    Id,
    Url,
    Name,
    #[strum(serialize = "type")]
    Kind,
    Language,
    Genres,
    Status,
    Runtime,
    AverageRuntime,
    Premiered,
    Ended,
    OfficialSite,
    Schedule,
    Rating,
    Weight,
    Network,
    WebChannel,
    DvdCountry,
    Externals,
    Image,
    Summary,
    Updated,
    #[strum(serialize = "_links")]
    Links,
}

impl Field {
    fn key(self) -> &'static str {
        self.into()
    }
}

/// A bit for each field.
const ALL_FIELDS: u32 = (1 << Field::VARIANTS.len()) - 1;

enum Key {
    Known(Field),
    Other(String),
}

impl<'de> Deserialize<'de> for Key {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Key, D::Error> {
        deserializer.deserialize_identifier(KeyVisitor)
    }
}

struct KeyVisitor;

impl Visitor<'_> for KeyVisitor {
    type Value = Key;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Key, E> {
        Ok(key.parse().map_or_else(|_| Key::Other(key.to_owned()), Key::Known))
    }
}

pub(super) struct ShowVisitor<'a> {
    /// Where to put `_embedded`; `None` if it is a key like others.
    embedded: Option<&'a mut Option<Embedded>>,
}

impl<'a> ShowVisitor<'a> {
    pub(super) fn with_embedded(embedded: &'a mut Option<Embedded>) -> ShowVisitor<'a> {
        ShowVisitor { embedded: Some(embedded) }
    }
}

impl<'de> Visitor<'de> for ShowVisitor<'_> {
    type Value = TvmazeShow;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a show")
    }

    /// The last value of a duplicate key wins.
    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<TvmazeShow, A::Error> {
        let (mut id, mut show, mut rest) = (None, Show::default(), Rest::default());
        while let Some(key) = map.next_key()? {
            let field = match key {
                Key::Known(field) => field,
                Key::Other(key) => {
                    if let Some(embedded) = self.embedded.as_mut().filter(|_| key == "_embedded") {
                        **embedded = Some(map.next_value()?);
                        continue;
                    }
                    rest.extra.insert(key, map.next_value()?);
                    continue;
                }
            };
            rest.begin(field);
            match field {
                Field::Id => id = Some(map.next_value()?),
                Field::Url => show.url = rest.text(field, map.next_value()?),
                Field::Name => show.name = rest.name(map.next_value()?),
                Field::Kind => show.kind = rest.text(field, map.next_value()?),
                Field::Language => show.language = rest.text(field, map.next_value()?),
                Field::Genres => show.genres = rest.genres(map.next_value()?),
                Field::Status => show.status = rest.text(field, map.next_value()?),
                Field::Runtime => show.runtime = rest.integer(field, map.next_value()?),
                Field::AverageRuntime => {
                    show.average_runtime = rest.integer(field, map.next_value()?);
                }
                Field::Premiered => show.premiered = rest.text(field, map.next_value()?),
                Field::Ended => show.ended = rest.text(field, map.next_value()?),
                Field::OfficialSite => show.official_site = rest.text(field, map.next_value()?),
                Field::Schedule => show.schedule = rest.object(field, map.next_value()?),
                Field::Rating => show.rating_average = rest.rating(map.next_value()?),
                Field::Weight => show.weight = rest.integer(field, map.next_value()?),
                Field::Network => show.network = rest.object(field, map.next_value()?),
                Field::WebChannel => show.web_channel = rest.object(field, map.next_value()?),
                Field::DvdCountry => show.dvd_country = rest.object(field, map.next_value()?),
                Field::Externals => show.externals = rest.object(field, map.next_value()?),
                Field::Image => show.image = rest.object(field, map.next_value()?),
                Field::Summary => show.summary = rest.text(field, map.next_value()?),
                Field::Updated => show.updated = rest.integer(field, map.next_value()?),
                Field::Links => show.links = rest.object(field, map.next_value()?),
            }
        }
        show.id = id.ok_or_else(|| A::Error::missing_field("id"))?;
        let (extra, malformed) = rest.finish();
        show.extra = extra;
        Ok(TvmazeShow { show, malformed })
    }
}

/// What the fields of a show cannot hold.
#[derive(Default)]
struct Rest {
    extra: Map<String, Value>,
    malformed: Vec<String>,
    /// A bit for each field that the object has.
    present: u32,
}

impl Rest {
    /// Marks a key as present, and discards what an earlier value of it has left.
    fn begin(&mut self, field: Field) {
        let bit = 1 << field as u32;
        if self.present & bit != 0 {
            self.extra.remove(field.key());
            self.malformed.retain(|path| !path.starts_with(field.key()));
        }
        self.present |= bit;
    }

    #[cold]
    fn keep(&mut self, field: Field, value: Value) {
        self.extra.insert(field.key().to_owned(), value);
    }

    #[cold]
    fn reject(&mut self, field: Field, value: Value) {
        self.malformed.push(field.key().to_owned());
        self.keep(field, value);
    }

    fn text(&mut self, field: Field, value: Value) -> Option<String> {
        match value {
            Value::String(text) => return Some(text),
            Value::Null => {}
            other => self.reject(field, other),
        }
        None
    }

    fn integer(&mut self, field: Field, value: Value) -> Option<i64> {
        match value {
            Value::Number(number) if number.is_i64() => return number.as_i64(),
            Value::Null => {}
            other => self.reject(field, other),
        }
        None
    }

    /// The column is not nullable.
    fn name(&mut self, value: Value) -> String {
        match value {
            Value::String(name) => return name,
            other => self.reject(Field::Name, other),
        }
        String::new()
    }

    /// The column joins them with commas. A list that cannot be split again is also stored in `extra`.
    fn genres(&mut self, value: Value) -> Vec<String> {
        let genres = match value {
            Value::Array(genres) if genres.iter().all(Value::is_string) => genres,
            Value::Null => {
                self.keep(Field::Genres, Value::Null);
                return Vec::new();
            }
            other => {
                self.reject(Field::Genres, other);
                return Vec::new();
            }
        };
        let is_joinable = |genre: &Value| {
            genre.as_str().is_some_and(|genre| !genre.is_empty() && !genre.contains(','))
        };
        if !genres.iter().all(is_joinable) {
            self.keep(Field::Genres, Value::Array(genres.clone()));
        }
        let texts = genres.into_iter().filter_map(|genre| match genre {
            Value::String(genre) => Some(genre),
            _ => None,
        });
        texts.collect()
    }

    /// The column holds only the average. Any other content is stored in `extra`.
    fn rating(&mut self, value: Value) -> Option<f64> {
        let average = match &value {
            Value::Null => None,
            Value::Object(rating) => match rating.get("average") {
                Some(Value::Number(average)) => average.as_f64(),
                None | Some(Value::Null) => None,
                Some(_) => {
                    self.malformed.push("rating.average".to_owned());
                    None
                }
            },
            _ => {
                self.malformed.push(Field::Rating.key().to_owned());
                None
            }
        };
        if !is_plain_rating(&value) {
            self.keep(Field::Rating, value);
        }
        average
    }

    /// A nested object as text, in TVmaze's own format: without whitespace and escapes.
    fn object(&mut self, field: Field, json: Option<RawJson>) -> Option<RawJson> {
        let json = json?;
        if is_canonical_json(json.as_str()) {
            return Some(json);
        }
        let mut notes = Vec::new();
        let value = salvage::value(json.as_str(), field.key(), &mut notes);
        self.malformed.append(&mut notes);
        let text = value.as_object().and_then(|object| RawJson::from_value(object).ok());
        if text.is_none() {
            self.reject(field, value);
        }
        text
    }

    /// Returns the content of `extra`, and the paths of the malformed values.
    fn finish(self) -> (Map<String, Value>, Vec<String>) {
        let Rest { mut extra, mut malformed, present } = self;
        // As for almost all shows.
        if present == ALL_FIELDS && extra.is_empty() {
            return (extra, malformed);
        }
        for (key, value) in &mut extra {
            if !salvage::survives(value) {
                malformed.push(salvage::as_text(key));
                *value = Value::from(value.to_string());
            }
        }
        let is_absent = |field: &Field| present & (1 << *field as u32) == 0;
        if is_absent(&Field::Name) {
            malformed.push(Field::Name.key().to_owned());
        }
        let absent: Vec<&str> =
            Field::VARIANTS.iter().copied().filter(is_absent).map(Field::key).collect();
        match extra.remove(Show::ABSENT) {
            None if absent.is_empty() => {}
            None => _ = extra.insert(Show::ABSENT.to_owned(), json!({"keys": absent})),
            Some(value) => {
                let absent = json!({"keys": absent, "value": value});
                extra.insert(Show::ABSENT.to_owned(), absent);
            }
        }
        (extra, malformed)
    }
}

/// Whether a rating can be rebuilt from the column.
fn is_plain_rating(rating: &Value) -> bool {
    let Value::Object(rating) = rating else { return false };
    let is_plain = |average: &Value| match average {
        Value::Null => true,
        Value::Number(average) => is_plain_number(average),
        _ => false,
    };
    rating.len() == 1 && rating.get("average").is_some_and(is_plain)
}

/// Whether a number comes back as it was received: a whole one without a decimal point.
fn is_plain_number(number: &Number) -> bool {
    let Some(float) = number.as_f64() else { return false };
    let is_written_as_integer = float.fract() == 0.0 && float.abs() < 1e9;
    number.is_f64() != is_written_as_integer
}

/// Whether JSON text is an object that can be stored as it is: it has no whitespace between tokens, no
/// escapes, which could be invalid, no numbers that could be out of range, and no more levels than any object
/// of TVmaze.
fn is_canonical_json(json: &str) -> bool {
    const MAX_DEPTH: u32 = 8;
    const MAX_DIGITS: usize = 17;
    let (mut depth, mut rest) = (0_u32, json.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => match memchr::memchr2(b'"', b'\\', rest) {
                Some(end) if rest[end] == b'"' => rest = &rest[end + 1..],
                _ => return false,
            },
            b'0'..=b'9' => {
                let more = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
                if more >= MAX_DIGITS || matches!(rest.get(more), Some(b'e' | b'E')) {
                    return false;
                }
                rest = &rest[more..];
            }
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ if byte.is_ascii_whitespace() => return false,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return false;
        }
    }
    json.starts_with('{')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tvshows_core::ShowId;

    use super::*;

    fn received(sent: &Value) -> TvmazeShow {
        serde_json::from_str(&sent.to_string()).unwrap()
    }

    /// Decodes a show as TVmaze sends it and serializes it again.
    fn round_trip(sent: &Value) -> Value {
        serde_json::to_value(received(sent).show).unwrap()
    }

    #[test]
    fn every_key_is_given_back_as_it_came() {
        let odd = json!({"premiered": "2013-06-24T10:00", "ended": "", "updated": i64::MAX,
            "genres": null, "rating": {"average": 8, "votes": 12}, "unknown": [1],
            "schedule": {"time": "22:00:00", "days": null}, "image": {"medium": null}});
        let odder = json!({"premiered": "in June", "ended": null, "updated": u64::MAX,
            "genres": ["Drama, mostly"], "rating": null, "schedule": {"time": "", "days": []}});
        let usual = json!({"premiered": "2013-06-24", "ended": "2015-09-10", "updated": 1_573_667_713,
            "genres": ["Drama"], "rating": {"average": 6.5}, "schedule": {"time": "22:00"}});
        for mut sent in [odd, odder, usual] {
            sent["id"] = json!(1);
            sent["name"] = json!("X");
            let ours = round_trip(&sent);
            for (key, value) in sent.as_object().unwrap() {
                assert_eq!(&ours[key], value, "{key}");
            }
        }
    }

    #[test]
    fn nested_objects_are_kept_as_tvmaze_writes_them() {
        let image = |sent: &str| {
            let sent = format!(r#"{{"id":1,"name":"X","image":{sent}}}"#);
            let received = serde_json::from_str::<TvmazeShow>(&sent);
            let TvmazeShow { show, .. } = received.unwrap();
            (show.image.map(|image| image.as_str().to_owned()), show.extra.get("image").cloned())
        };
        let stored = |sent: &str| {
            let (stored, extra) = image(sent);
            assert_eq!(extra, None, "{sent}");
            stored.unwrap()
        };
        let compact = r#"{"medium":"https://a.b/c d.jpg","sizes":[1,{"x":2.50}]}"#;
        assert_eq!(stored(compact), compact);
        assert_eq!(image("null"), (None, None));
        let spaced = "{\"medium\" : \"https:\\/\\/a.b\",\n\"n\": 1}";
        assert_eq!(stored(spaced), r#"{"medium":"https://a.b","n":1}"#);
        let quoted = r#"{"name":"\"X\"{ [\\"}"#;
        assert_eq!(stored(quoted), quoted);
        assert_eq!(stored(r#"{"x":"\ud800"}"#), "{\"x\":\"\u{fffd}\"}");
        for huge in ["1e999", &"9".repeat(400)] {
            assert_eq!(stored(&format!(r#"{{"x":{huge}}}"#)), format!(r#"{{"x":"{huge}"}}"#));
        }
        let deep = |levels: usize| "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels);
        assert_eq!(stored(&deep(20)), deep(20));
        assert!(stored(&deep(1000)).starts_with(r#"{"a":{"a":"#));
        for other in ["1", "[]", "\"x\"", "false", " [1, {}]"] {
            let (stored, extra) = image(other);
            assert_eq!((stored, extra), (None, Some(serde_json::from_str(other).unwrap())));
        }
    }

    #[test]
    fn whatever_is_stored_can_be_read_again() {
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let marker = r"\u0024serde_json::private::RawValue";
        let hidden = nested(100).replacen("[]", &format!(r#"{{"{marker}":"{}"}}"#, nested(100)), 1);
        for key in ["image", "summary", "zz"] {
            for value in [&hidden, &hidden.replace(r"\u0024", "$"), &format!(r#"{{"x":{hidden}}}"#)]
            {
                let sent = format!(r#"{{"id":1,"name":"X","{key}":{value}}}"#);
                let TvmazeShow { show, malformed } = serde_json::from_str(&sent).unwrap();
                assert!(!malformed.is_empty(), "{key}");
                let extra = serde_json::to_string(&show.extra).unwrap();
                let read: Map<String, Value> = serde_json::from_str(&extra).unwrap();
                assert_eq!(read, show.extra);
                if let Some(image) = &show.image {
                    serde_json::from_str::<Value>(image.as_str()).unwrap();
                }
            }
        }
    }

    #[test]
    fn only_an_id_that_is_missing_or_wrong_is_an_error() {
        for id in [json!(null), json!("1"), json!(1.5), json!(-1), json!(u64::MAX), json!([1])] {
            let sent = json!({"id": id, "name": "X"});
            assert!(serde_json::from_value::<TvmazeShow>(sent).is_err(), "{id}");
        }
        assert!(serde_json::from_value::<TvmazeShow>(json!({"name": "X"})).is_err());
        assert!(serde_json::from_value::<TvmazeShow>(json!([1, "X"])).is_err());
    }

    #[test]
    fn values_of_other_types_are_null_and_kept_in_extra() {
        let odd = json!({
            "id": 1, "url": 5, "name": 1992, "type": ["Scripted"], "language": {"code": "en"},
            "genres": "Drama", "status": false, "runtime": "60", "averageRuntime": 60.5,
            "premiered": 2013, "ended": [], "officialSite": {}, "schedule": [], "rating": "8",
            "weight": "heavy", "network": "ABC", "webChannel": 1, "dvdCountry": false,
            "externals": [], "image": "x.jpg", "summary": ["a"], "updated": "now", "_links": [],
        });
        let TvmazeShow { show, mut malformed } = received(&odd);
        let empty = Show { id: ShowId(1), extra: show.extra.clone(), ..Show::default() };
        assert_eq!(show, empty);
        let mut fields: Vec<_> = Show::field_names().skip(1).collect();
        fields.sort_unstable();
        malformed.sort_unstable();
        assert_eq!(malformed, fields);
        assert_eq!(round_trip(&odd), odd);

        for (field, value) in [
            ("genres", json!(["Drama", 5])),
            ("rating", json!({"average": "8", "votes": 5})),
            ("rating", json!([])),
            ("name", json!(null)),
            ("updated", json!(1.5)),
        ] {
            let sent = json!({"id": 1, "name": "X", field: value});
            let TvmazeShow { show, malformed } = received(&sent);
            assert!(malformed[0].starts_with(field), "{malformed:?}");
            assert_eq!(show.extra[field], value);
        }
        let rating = json!({"id": 1, "name": "X", "rating": {"average": "8"}});
        assert_eq!(received(&rating).malformed, ["rating.average"]);
        assert_eq!(received(&json!({"id": 1})).malformed, ["name"]);
    }

    #[test]
    fn a_page_with_lone_surrogates_is_recovered() {
        let body = br#"[{"id": 6, "name": "X", "rating": "8"},
            {"id": 7, "name": "A \ud83d", "network": {"name": "\ud83d\ude00 \ud83d"}, "runtime": 1e999},
            {"id": 8, "name": "\u00e9", "summary": "\ufffd"}]"#;
        let error = serde_json::from_slice::<Vec<TvmazeShow>>(body).err().unwrap();
        let shows = recover_page(body, error).unwrap().unwrap();
        let malformed: Vec<_> = shows.iter().map(|show| show.malformed.join(", ")).collect();
        let expected = "name (lone surrogates replaced with U+FFFD), \
            network.name (lone surrogates replaced with U+FFFD), runtime (stored as text)";
        assert_eq!(malformed, ["rating", expected, ""]);
        let show = serde_json::to_value(&shows[1].show).unwrap();
        let expected = json!({"id": 7, "name": "A \u{fffd}", "network": {"name": "\u{1f600} \u{fffd}"},
            "runtime": "1e999"});
        assert_eq!(show, expected);
        assert_eq!(shows[2].show.name, "é");
    }

    #[test]
    fn text_that_is_not_utf8_is_replaced() {
        let body = b"[{\"id\": 7, \"name\": \"caf\xe9\"}, {\"id\": 8, \"name\": \"X\"}]";
        let error = serde_json::from_slice::<Vec<TvmazeShow>>(body).err().unwrap();
        let shows = recover_page(body, error).unwrap().unwrap();
        assert_eq!(shows[0].show.name, "caf\u{fffd}");
        assert_eq!(shows[0].malformed, ["invalid UTF-8, replaced with U+FFFD"]);
        assert!(shows[1].malformed.is_empty());
        let error = serde_json::from_slice::<TvmazeShow>(b"{\"id\": 7, \"x\": \"\xe9\"}");
        let show = recover_show(b"{\"id\": 7, \"name\": \"\xe9\"}", error.err().unwrap());
        assert_eq!(show.unwrap().unwrap().show.name, "\u{fffd}");
    }

    #[test]
    fn what_is_no_page_is_not_recovered() {
        for body in [
            r#"[{"id": 1, "name": "\ud83d"}"#,
            r#"[{"id": "1", "name": "X"}]"#,
            r#"{"shows": []}"#,
            r#"[{"id": 1, "name": "\ud83d"}, {"id": 1.5, "name": "X"}]"#,
            "[1]]",
            "",
        ] {
            let error = serde_json::from_slice::<Vec<TvmazeShow>>(body.as_bytes()).err().unwrap();
            assert!(recover_page(body.as_bytes(), error).is_err(), "{body}");
        }
    }

    /// A key with any JSON value.
    fn field() -> impl Strategy<Value = (String, Value)> {
        let scalar = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-100_i64..100).prop_map(Value::from),
            any::<u64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            (-100_i32..100).prop_map(|tenths| Value::from(f64::from(tenths) / 10.0)),
            any::<String>().prop_map(Value::from),
            Just(Value::from("Drama")),
        ];
        let key = || {
            let known = Show::field_names().skip(1).chain([Show::ABSENT, "average", "keys"]);
            let known: Vec<&str> = known.collect();
            prop_oneof![
                8 => prop::sample::select(known).prop_map(str::to_owned),
                2 => any::<String>().prop_filter("the id", |key| key != "id"),
            ]
        };
        let value = scalar.prop_recursive(4, 24, 4, move |value| {
            prop_oneof![
                prop::collection::vec(value.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map(key(), value, 0..4)
                    .prop_map(|object| object.into_iter().collect()),
            ]
        });
        (key(), value)
    }

    proptest! {
        #[test]
        fn any_object_with_an_id_comes_back_as_it_came(
            id in any::<u32>(),
            fields in prop::collection::vec(field(), 0..30),
        ) {
            let mut sent: Map<String, Value> = fields.into_iter().collect();
            sent.insert("id".into(), id.into());
            let sent = Value::Object(sent);
            prop_assert_eq!(round_trip(&sent), sent.clone());
            let pretty: TvmazeShow =
                serde_json::from_str(&serde_json::to_string_pretty(&sent).unwrap()).unwrap();
            prop_assert_eq!(serde_json::to_value(&pretty.show).unwrap(), sent.clone());
            // What the store keeps of it.
            let extra = serde_json::to_string(&pretty.show.extra).unwrap();
            let show = Show { extra: serde_json::from_str(&extra).unwrap(), ..pretty.show };
            prop_assert_eq!(serde_json::to_value(&show).unwrap(), sent);
        }
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_counts() {
        let twice = r#"{"id":1,"name":"X","genres":["a,b"],"rating":{"average":"1","votes":2},"id":2,
            "genres":["Drama"],"rating":{"average":3}}"#;
        let TvmazeShow { show, malformed } = serde_json::from_str(twice).unwrap();
        assert_eq!((show.id.0, show.rating_average), (2, Some(3.0)));
        assert_eq!(show.genres, ["Drama"]);
        assert_eq!(show.extra.keys().collect::<Vec<_>>(), [Show::ABSENT]);
        assert!(malformed.is_empty(), "{malformed:?}");
    }

    #[test]
    fn the_columns_hold_dates_however_they_are_written() {
        let sent = json!({"id": 1, "name": "X", "premiered": "1999-00-00", "ended": "",
            "updated": i64::MAX});
        let TvmazeShow { show, malformed } = received(&sent);
        assert!(malformed.is_empty(), "{malformed:?}");
        assert_eq!(show.premiered.as_deref(), Some("1999-00-00"));
        assert_eq!(show.ended.as_deref(), Some(""));
        assert_eq!(show.updated, Some(i64::MAX));
        assert_eq!(show.extra.keys().collect::<Vec<_>>(), [Show::ABSENT]);
    }
}
