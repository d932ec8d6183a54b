//! Lossless conversion of TVmaze's JSON to the domain types.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _, MapAccess, Visitor};
use serde_json::{Map, Number, Value};
use tvmaze_client::ShowId as TvmazeId;
use tvshows_core::{CastMember, RawJson, Show, ShowId};

/// A show decoded from TVmaze's JSON directly into the domain type. The client's own model would parse the
/// nested objects only to serialize them again.
pub(crate) struct TvmazeShow(pub(crate) Show);

impl<'de> Deserialize<'de> for TvmazeShow {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TvmazeShow, D::Error> {
        deserializer.deserialize_map(ShowVisitor).map(TvmazeShow)
    }
}

struct ShowVisitor;

/// A list or null, if the key is present.
#[derive(Default)]
enum Genres {
    #[default]
    Absent,
    Present(Option<Vec<String>>),
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "camelCase")]
enum Key {
    Id,
    Url,
    Name,
    #[serde(rename = "type")]
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
    #[serde(rename = "_links")]
    Links,
    Other(String),
}

impl<'de> Visitor<'de> for ShowVisitor {
    type Value = Show;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a show")
    }

    /// The last value of a duplicate key wins.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Show, A::Error> {
        let (mut id, mut name, mut extra) = (None, None, Map::new());
        let (mut genres, mut rating, mut updated) = (Genres::default(), None, None);
        let mut show = Show::default();
        while let Some(key) = map.next_key()? {
            match key {
                Key::Id => id = Some(map.next_value()?),
                Key::Url => show.url = map.next_value()?,
                Key::Name => name = Some(map.next_value()?),
                Key::Kind => show.kind = map.next_value()?,
                Key::Language => show.language = map.next_value()?,
                Key::Genres => genres = Genres::Present(map.next_value()?),
                Key::Status => show.status = map.next_value()?,
                Key::Runtime => show.runtime = map.next_value()?,
                Key::AverageRuntime => show.average_runtime = map.next_value()?,
                Key::Premiered => show.premiered = map.next_value()?,
                Key::Ended => show.ended = map.next_value()?,
                Key::OfficialSite => show.official_site = map.next_value()?,
                Key::Schedule => show.schedule = object(&mut map)?,
                Key::Rating => rating = map.next_value()?,
                Key::Weight => show.weight = map.next_value()?,
                Key::Network => show.network = object(&mut map)?,
                Key::WebChannel => show.web_channel = object(&mut map)?,
                Key::DvdCountry => show.dvd_country = object(&mut map)?,
                Key::Externals => show.externals = object(&mut map)?,
                Key::Image => show.image = object(&mut map)?,
                Key::Summary => show.summary = map.next_value()?,
                Key::Updated => updated = map.next_value()?,
                Key::Links => show.links = object(&mut map)?,
                Key::Other(key) => {
                    extra.insert(key, map.next_value()?);
                }
            }
        }
        show.id = id.ok_or_else(|| A::Error::missing_field("id"))?;
        show.name = name.ok_or_else(|| A::Error::missing_field("name"))?;
        show.extra = extra;
        set_genres(&mut show, genres);
        set_rating(&mut show, rating)?;
        set_updated(&mut show, updated)?;
        check_round_trip(&show.extra)?;
        Ok(show)
    }
}

/// The genres column joins them with commas. A list that cannot be split again is also stored in `extra`.
fn set_genres(show: &mut Show, genres: Genres) {
    let Genres::Present(genres) = genres else { return };
    let is_joined = |genre: &String| !genre.is_empty() && !genre.contains(',');
    if !genres.as_ref().is_some_and(|genres| genres.iter().all(is_joined)) {
        show.extra.insert("genres".into(), Value::from(genres.clone()));
    }
    show.genres = genres.unwrap_or_default();
}

/// The rating column holds only the average. Any other content of the object is stored in `extra`.
fn set_rating<E: serde::de::Error>(
    show: &mut Show,
    rating: Option<Map<String, Value>>,
) -> Result<(), E> {
    let average = match rating.as_ref().and_then(|rating| rating.get("average")) {
        None | Some(Value::Null) => None,
        Some(Value::Number(average)) => average.as_f64(),
        Some(other) => return Err(E::custom(format_args!("`average` of `rating` is {other}"))),
    };
    show.rating_average = average;
    if rating.as_ref().is_none_or(|rating| rating.keys().any(|key| key != "average")) {
        show.extra.insert("rating".into(), rating.into());
    }
    Ok(())
}

/// The column holds an integer, even one outside the range of dates.
fn set_updated<E: serde::de::Error>(show: &mut Show, updated: Option<Number>) -> Result<(), E> {
    let Some(updated) = updated else { return Ok(()) };
    if updated.is_f64() {
        return Err(E::custom(format_args!("`updated` is {updated}, which is not a Unix time")));
    }
    show.updated = updated.as_i64();
    if show.updated.is_none() {
        show.extra.insert("updated".into(), updated.into());
    }
    Ok(())
}

/// Reads a nested object as text, in TVmaze's own format: without whitespace and escapes.
fn object<'de, A: MapAccess<'de>>(map: &mut A) -> Result<Option<RawJson>, A::Error> {
    let Some(json) = map.next_value::<Option<RawJson>>()? else { return Ok(None) };
    if is_canonical_json(json.as_str()) {
        return Ok(Some(json));
    }
    let object: Map<String, Value> =
        serde_json::from_str(json.as_str()).map_err(A::Error::custom)?;
    check_round_trip(&object)?;
    RawJson::from_value(&object).map(Some).map_err(A::Error::custom)
}

/// Rejects an object that does not survive a round trip through its text: a key that `serde_json` reserves
/// for itself can hide more levels than it parses.
fn check_round_trip<E: serde::de::Error>(object: &Map<String, Value>) -> Result<(), E> {
    let is_plain = |value: &Value| !value.is_object() && !value.is_array();
    if object.values().all(is_plain) {
        return Ok(());
    }
    let text = serde_json::to_string(object).map_err(E::custom)?;
    let read: Map<String, Value> = serde_json::from_str(&text).map_err(E::custom)?;
    if read == *object { Ok(()) } else { Err(E::custom("an object is ambiguous")) }
}

/// Whether JSON text is an object that can be stored as it is: it has no whitespace between tokens, no
/// escapes, which could be invalid, and no more levels than any object of TVmaze.
fn is_canonical_json(json: &str) -> bool {
    const MAX_DEPTH: u32 = 8;
    let (mut depth, mut rest) = (0_u32, json.as_bytes());
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        match byte {
            b'"' => match memchr::memchr2(b'"', b'\\', rest) {
                Some(end) if rest[end] == b'"' => rest = &rest[end + 1..],
                _ => return false,
            },
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

/// Returns a date as TVmaze sends it, even if it is invalid.
fn date_text(value: Option<Value>) -> Option<String> {
    match value? {
        Value::String(text) => Some(text),
        _ => None,
    }
}

pub(crate) fn cast_member(show: &Show, member: tvmaze_client::CastMember) -> CastMember {
    let (person, character) = (member.person, member.character);
    let birthday = date_text(person.json_value("birthday"));
    let deathday = date_text(person.json_value("deathday"));
    CastMember {
        show_id: show.id,
        show_name: show.name.clone(),
        person_id: person.id.0,
        person_name: person.name,
        person_birthday: birthday,
        person_deathday: deathday,
        person_gender: person.gender,
        person_country_name: person.country.and_then(|country| country.name),
        character_id: character.id.0,
        character_name: character.name,
        image: character.image.and_then(|image| image.original),
        plays_self: member.plays_self,
        voice: member.voice,
    }
}

pub(crate) fn tvmaze_id(show: ShowId) -> TvmazeId {
    TvmazeId(show.0)
}

pub(crate) fn saturating_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Decodes a show as TVmaze sends it and serializes it again.
    fn round_trip(sent: &Value) -> Value {
        let TvmazeShow(show) = serde_json::from_value(sent.clone()).unwrap();
        serde_json::to_value(show).unwrap()
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
            received.map(|TvmazeShow(show)| show.image.map(|image| image.as_str().to_owned()))
        };
        let compact = r#"{"medium":"https://a.b/c d.jpg","sizes":[1,{"x":2.50}]}"#;
        assert_eq!(image(compact).unwrap().unwrap(), compact);
        assert_eq!(image("null").unwrap(), None);
        let spaced = "{\"medium\" : \"https:\\/\\/a.b\",\n\"n\": 1}";
        assert_eq!(image(spaced).unwrap().unwrap(), r#"{"medium":"https://a.b","n":1}"#);
        let quoted = r#"{"name":"\"X\"{ [\\"}"#;
        assert_eq!(image(quoted).unwrap().unwrap(), quoted);
        let nested = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        let marker = r"\u0024serde_json::private::RawValue";
        let hidden = nested(100).replacen("[]", &format!(r#"{{"{marker}":"{}"}}"#, nested(100)), 1);
        for wrong in ["1", "[]", "\"x\"", r#"{"x":"\ud800"}"#, &format!(r#"{{"x":{hidden}}}"#)] {
            image(wrong).unwrap_err();
        }
        let unknown = format!(r#"{{"id":1,"name":"X","zz":{}}}"#, hidden.replace(r"\u0024", "$"));
        assert!(serde_json::from_str::<TvmazeShow>(&unknown).is_err());
        let deep = |levels: usize| "{\"a\":".repeat(levels) + "1" + &"}".repeat(levels);
        assert_eq!(image(&deep(20)).unwrap().unwrap(), deep(20));
        image(&deep(1000)).unwrap_err();
    }

    #[test]
    fn wrong_types_and_missing_keys_are_errors() {
        for wrong in [
            json!({"name": "X"}),
            json!({"id": 1}),
            json!({"id": 1, "name": null}),
            json!({"id": 1, "name": "X", "genres": "Drama"}),
            json!({"id": 1, "name": "X", "rating": {"average": "8"}}),
            json!({"id": 1, "name": "X", "updated": 1.5}),
            json!({"id": 1, "name": "X", "premiered": 2013}),
        ] {
            let received = serde_json::from_value::<TvmazeShow>(wrong.clone());
            assert!(received.is_err(), "{wrong}");
        }
    }

    #[test]
    fn of_a_key_that_comes_twice_the_last_counts() {
        let twice = r#"{"id":1,"name":"X","genres":["a,b"],"rating":{"average":1,"votes":2},"id":2,
            "genres":["Drama"],"rating":{"average":3}}"#;
        let TvmazeShow(show) = serde_json::from_str(twice).unwrap();
        assert_eq!((show.id.0, show.rating_average), (2, Some(3.0)));
        assert_eq!(show.genres, ["Drama"]);
        assert!(show.extra.is_empty(), "{:?}", show.extra);
    }

    #[test]
    fn the_columns_hold_dates_however_they_are_written() {
        let sent = json!({"id": 1, "name": "X", "premiered": "1999-00-00", "ended": "",
            "updated": i64::MAX});
        let TvmazeShow(show) = serde_json::from_value(sent).unwrap();
        assert_eq!(show.premiered.as_deref(), Some("1999-00-00"));
        assert_eq!(show.ended.as_deref(), Some(""));
        assert_eq!(show.updated, Some(i64::MAX));
        assert_eq!(show.extra.keys().collect::<Vec<_>>(), ["rating"], "which is absent, not null");
    }
}
