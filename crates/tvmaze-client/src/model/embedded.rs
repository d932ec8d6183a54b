use std::ops::{Deref, DerefMut};

use serde::de::{Deserialize, DeserializeOwned, Deserializer, Error, Unexpected};
use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::{Map, Value};

use super::alternate_list::{AlternateEpisode, AlternateList};
use super::credit::{CastCredit, CrewCredit, GuestCastCredit};
use super::embed::Embed;
use super::episode::Episode;
use super::person::Person;
use super::show::Show;

/// An object that can have others embedded.
pub trait Model: Serialize + DeserializeOwned + Send + 'static {
    fn extra_mut(&mut self) -> &mut Map<String, Value>;
}

macro_rules! models {
    ($($model:ty),+) => {
        $(impl Model for $model {
            fn extra_mut(&mut self) -> &mut Map<String, Value> {
                &mut self.extra
            }
        })+
    };
}

models!(
    AlternateEpisode,
    AlternateList,
    CastCredit,
    CrewCredit,
    Episode,
    GuestCastCredit,
    Person,
    Show
);

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

impl<'de, T: Model, E: Embed<T>> Deserialize<'de> for WithEmbedded<T, E> {
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
    let mut embedded = match extra.remove("_embedded") {
        Some(Value::Object(embedded)) => embedded,
        None | Some(Value::Null) => Map::new(),
        // PHP encodes an empty object as a list.
        Some(Value::Array(list)) if list.is_empty() => Map::new(),
        Some(_) => {
            let unexpected = Unexpected::Other("another value");
            return Err(Err::invalid_type(unexpected, &"an object in `_embedded`"));
        }
    };
    let output = E::extract(&mut embedded)?;
    if !embedded.is_empty() {
        extra.insert("_embedded".to_owned(), embedded.into());
    }
    Ok(output)
}

/// Adds `output` to the `_embedded` of `object`.
pub(super) fn insert_embedded<E: Embed<T>, T>(
    object: &mut Value,
    output: &E::Output,
) -> serde_json::Result<()> {
    let mut embedded = match object["_embedded"].take() {
        Value::Object(embedded) => embedded,
        _ => Map::new(),
    };
    E::insert(output, &mut embedded)?;
    object["_embedded"] = embedded.into();
    Ok(())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::embed::EmbedMarker;
    use super::*;
    use crate::{Show, embed};

    type ShowWithEpisodes = WithEmbedded<Show, (embed::Episodes, embed::NextEpisode)>;

    fn sent(embedded: &Value) -> Value {
        json!({"id": 1, "name": "X", "_embedded": embedded})
    }

    #[test]
    fn what_may_be_missing_is_none_however_that_is_written() {
        for embedded in [json!({}), json!([]), json!(null), json!({"nextepisode": null})] {
            let show: WithEmbedded<Show, embed::NextEpisode> =
                serde_json::from_value(sent(&embedded)).unwrap();
            assert_eq!(show.embedded, None);
            let written = serde_json::to_value(&show).unwrap();
            assert_eq!(written["_embedded"], json!({"nextepisode": null}));
        }
        let bare = json!({"id": 1, "name": "X"});
        let show: WithEmbedded<Show, embed::NextEpisode> = serde_json::from_value(bare).unwrap();
        assert_eq!(show.embedded, None);
    }

    #[test]
    fn a_missing_or_broken_list_is_an_error_that_names_it() {
        let error = |embedded: Value| {
            let text = sent(&embedded).to_string();
            serde_json::from_str::<ShowWithEpisodes>(&text).unwrap_err().to_string()
        };
        assert!(error(json!({})).contains("missing field `episodes`"));
        assert!(
            error(json!({"episodes": null})).contains("`_embedded.episodes`: invalid type: null")
        );
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
}
