use std::ops::{Deref, DerefMut};

use serde::de::{Deserialize, Deserializer, Error, Unexpected};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Map, Value};

use super::embed::Embed;
use super::lossless::LosslessModel;

/// An object and what is embedded in it.
///
/// Embedded objects that were not requested stay in the `extra` of `item`, under `_embedded`.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WithEmbedded<T, E: Embed<T>> {
    /// The object itself.
    pub item: T,
    /// The [`Output`](Embed::Output) of the marker or, for a tuple of markers, a tuple of their outputs.
    pub embedded: E::Output,
}

impl<T, E: Embed<T>> Deref for WithEmbedded<T, E> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.item
    }
}

impl<T, E: Embed<T>> DerefMut for WithEmbedded<T, E> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.item
    }
}

impl<'de, T: LosslessModel + Deserialize<'de>, E: Embed<T>> Deserialize<'de>
    for WithEmbedded<T, E>
{
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut item = T::deserialize(deserializer)?;
        let embedded = extract_embedded::<E, T, _>(item.extra_mut())?;
        Ok(WithEmbedded { item, embedded })
    }
}

impl<T: Serialize, E: Embed<T>> Serialize for WithEmbedded<T, E> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut object = serde_json::to_value(&self.item).map_err(S::Error::custom)?;
        insert_embedded::<E, T>(&mut object, &self.embedded).map_err(S::Error::custom)?;
        object.serialize(serializer)
    }
}

/// Moves the objects named by `E` out of `_embedded` in `extra`.
pub(super) fn extract_embedded<E: Embed<T>, T, Err: Error>(
    extra: &mut Map<String, Value>,
) -> Result<E::Output, Err> {
    match extra.get_mut("_embedded") {
        Some(Value::Object(embedded)) if !embedded.is_empty() => {
            let output = E::extract(embedded)?;
            if embedded.is_empty() {
                extra.remove("_embedded");
            }
            Ok(output)
        }
        Some(other) if !is_empty(other) => {
            Err(Err::invalid_type(Unexpected::Other("another value"), &"an object in `_embedded`"))
        }
        _ => E::extract(&mut Map::new()),
    }
}

/// Whether `_embedded` is empty. TVmaze's PHP encodes an empty object as a list.
fn is_empty(embedded: &Value) -> bool {
    match embedded {
        Value::Null => true,
        Value::Object(object) => object.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// Adds `output` to the `_embedded` of `object`.
pub(super) fn insert_embedded<E: Embed<T>, T>(
    object: &mut Value,
    output: &E::Output,
) -> serde_json::Result<()> {
    let mut requested = Map::new();
    E::insert(output, &mut requested)?;
    if requested.is_empty() {
        return Ok(());
    }
    match &mut object["_embedded"] {
        Value::Object(embedded) => embedded.extend(requested),
        empty => *empty = Value::Object(requested),
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::embed::EmbedMarker;
    use super::*;
    use crate::{CastCredit, Show, embed};

    type ShowWithEpisodes = WithEmbedded<Show, (embed::Episodes, embed::NextEpisode)>;

    fn sent(embedded: &Value) -> Value {
        json!({"id": 1, "name": "X", "_embedded": embedded})
    }

    #[test]
    fn what_was_asked_for_is_taken_and_the_rest_stays() {
        let episode = json!({"id": 2, "name": "Pilot"});
        let sent = sent(&json!({"episodes": [episode], "nextepisode": episode, "cast": []}));
        let show: ShowWithEpisodes = serde_json::from_value(sent.clone()).unwrap();
        let (episodes, next) = &show.embedded;
        assert_eq!(episodes[0].id, next.as_ref().unwrap().id);
        assert_eq!(show.extra["_embedded"], json!({"cast": []}));
        assert_eq!(show.name, "X", "it dereferences to the show");
        assert_eq!(serde_json::to_value(&show).unwrap(), sent);
    }

    #[test]
    fn what_may_be_missing_is_none_however_that_is_written() {
        for embedded in [json!({}), json!([]), json!(null), json!({"nextepisode": null})] {
            let show: WithEmbedded<Show, embed::NextEpisode> =
                serde_json::from_value(sent(&embedded)).unwrap();
            assert_eq!(show.embedded, None);
            assert_eq!(serde_json::to_value(&show).unwrap(), sent(&embedded));
        }
        let bare = json!({"id": 1, "name": "X"});
        let show: WithEmbedded<Show, embed::NextEpisode> =
            serde_json::from_value(bare.clone()).unwrap();
        assert_eq!(serde_json::to_value(&show).unwrap(), bare);
    }

    #[test]
    fn a_missing_or_broken_list_is_an_error_that_names_it() {
        let error = |embedded: Value| {
            let text = sent(&embedded).to_string();
            serde_json::from_str::<ShowWithEpisodes>(&text).unwrap_err().to_string()
        };
        assert!(error(json!({})).contains("missing field `episodes`"));
        assert!(error(json!({"episodes": null})).contains("missing field `episodes`"));
        assert!(error(json!({"episodes": {}})).contains("`_embedded.episodes`: invalid type: map"));
        assert!(error(json!({"episodes": [{"id": 1}]})).contains("missing field `name`"));
        assert!(error(json!("none")).contains("an object in `_embedded`"));
        let bare =
            serde_json::from_str::<ShowWithEpisodes>(r#"{"id": 1, "name": "X"}"#).unwrap_err();
        assert!(bare.to_string().contains("missing field `episodes`"));
    }

    #[test]
    fn the_query_names_every_marker() {
        type Everything = (embed::Seasons, embed::Akas, embed::Images, embed::PreviousEpisode);
        let names = Everything::names();
        assert_eq!(names, ["seasons", "akas", "images", "previousepisode"]);
        assert_eq!(embed::Show::names(), ["show"]);
    }

    #[test]
    fn a_credit_has_its_show_and_its_character() {
        let sent = json!({"self": false, "voice": true, "_links": {"show": {"href": "https://s"}},
            "_embedded": {"show": {"id": 1, "name": "X"}, "character": {"id": 2, "name": "Y"}}});
        let credit: WithEmbedded<CastCredit, (embed::Show, embed::Character)> =
            serde_json::from_value(sent.clone()).unwrap();
        let (show, character) = &credit.embedded;
        assert_eq!((show.id.0, character.id.0, credit.voice), (1, 2, Some(true)));
        assert_eq!(serde_json::to_value(&credit).unwrap(), sent);
    }
}
