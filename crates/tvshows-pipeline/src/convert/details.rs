use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use tvshows_core::{Show, ShowDetails};

use super::cast::TvmazeCastMember;
use super::episode::TvmazeEpisode;
use super::salvage::{self, Salvage};
use super::show::{ShowVisitor, TvmazeShow};

/// A show with its episodes and its cast embedded.
pub(crate) struct TvmazeDetails {
    /// Its `malformed` has the paths of all values that do not fit their column.
    pub(crate) show: TvmazeShow,
    pub(crate) embedded: Embedded,
}

#[derive(Deserialize)]
pub(crate) struct Embedded {
    episodes: Vec<TvmazeEpisode>,
    cast: Vec<TvmazeCastMember>,
}

impl Embedded {
    pub(crate) fn of_show(self, show: &Show) -> ShowDetails {
        let episodes = self.episodes.into_iter().map(|episode| episode.of_show(show.id));
        ShowDetails {
            show_id: show.id,
            updated: show.updated,
            cast: self.cast.into_iter().map(|member| member.of_show(show)).collect(),
            episodes: Some(episodes.collect()),
        }
    }

    /// Takes the paths of the malformed values.
    fn take_malformed(&mut self) -> impl Iterator<Item = String> {
        let paths = |list: &'static str, index: usize, paths: Vec<String>| {
            paths.into_iter().map(move |path| format!("_embedded.{list}[{index}].{path}"))
        };
        let episodes = self.episodes.iter_mut().enumerate().flat_map(move |(index, episode)| {
            paths("episodes", index, std::mem::take(&mut episode.malformed))
        });
        let cast = self.cast.iter_mut().enumerate().flat_map(move |(index, member)| {
            paths("cast", index, std::mem::take(&mut member.malformed))
        });
        episodes.chain(cast)
    }
}

impl<'de> Deserialize<'de> for TvmazeDetails {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TvmazeDetails, D::Error> {
        let mut embedded = None;
        let mut show = deserializer.deserialize_map(ShowVisitor::with_embedded(&mut embedded))?;
        let mut embedded = embedded.ok_or_else(|| D::Error::missing_field("_embedded"))?;
        show.malformed.extend(embedded.take_malformed());
        Ok(TvmazeDetails { show, embedded })
    }
}

impl Salvage for TvmazeDetails {
    fn malformed(&mut self) -> &mut Vec<String> {
        &mut self.show.malformed
    }
}

/// Decodes a show with details that `serde_json` has rejected.
pub(crate) fn recover_details(
    body: &[u8],
    error: serde_json::Error,
) -> Result<Option<TvmazeDetails>, serde_json::Error> {
    salvage::single(body, error).map(Some)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tvshows_core::ShowId;

    use super::*;

    fn sent() -> Value {
        json!({
            "id": 7, "name": "S", "updated": 5,
            "_embedded": {
                "episodes": [{"id": 1, "name": "Pilot"}, {"id": 2, "name": 3}],
                "cast": [{"person": {"id": 4, "name": "P"}, "character": {"id": 5, "name": 6}}],
            },
        })
    }

    fn details_of(TvmazeDetails { show, embedded }: TvmazeDetails) -> (TvmazeShow, ShowDetails) {
        let details = embedded.of_show(&show.show);
        (show, details)
    }

    #[test]
    fn what_is_embedded_is_no_part_of_the_show() {
        let received = serde_json::from_str(&sent().to_string()).unwrap();
        let (TvmazeShow { show, mut malformed }, details) = details_of(received);
        assert_eq!(show.extra.keys().collect::<Vec<_>>(), [Show::ABSENT]);
        malformed.sort_unstable();
        assert_eq!(malformed, ["_embedded.cast[0].character.name", "_embedded.episodes[1].name"]);
        assert_eq!((details.show_id, details.updated), (ShowId(7), Some(5)));
        let episodes = serde_json::to_value(details.episodes.unwrap()).unwrap();
        assert_eq!(episodes, sent()["_embedded"]["episodes"]);
        let cast: Vec<Value> =
            details.cast.iter().map(|member| Value::from(member.to_object())).collect();
        assert_eq!(cast, *sent()["_embedded"]["cast"].as_array().unwrap());
        assert_eq!((details.cast[0].show_id, details.cast[0].show_name.as_str()), (ShowId(7), "S"));
    }

    #[test]
    fn a_part_that_is_missing_or_no_list_is_an_error() {
        let error =
            serde_json::from_str::<TvmazeDetails>(r#"{"id": 7, "name": "S"}"#).err().unwrap();
        assert!(error.to_string().starts_with("missing field `_embedded`"), "{error}");
        for embedded in
            [json!(null), json!({}), json!({"cast": []}), json!({"episodes": 1, "cast": []})]
        {
            let mut sent = sent();
            sent["_embedded"] = embedded.clone();
            assert!(serde_json::from_value::<TvmazeDetails>(sent).is_err(), "{embedded}");
        }
    }

    #[test]
    fn details_with_lone_surrogates_are_recovered() {
        let body = sent().to_string().replace("Pilot", r"a \ud83d").into_bytes();
        let error = serde_json::from_slice::<TvmazeDetails>(&body).err().unwrap();
        let (show, details) = details_of(recover_details(&body, error).unwrap().unwrap());
        assert_eq!(details.episodes.unwrap()[0].name.as_deref(), Some("a \u{fffd}"));
        let note = "_embedded.episodes[0].name (lone surrogates replaced with U+FFFD)";
        assert!(show.malformed.iter().any(|path| path == note), "{:?}", show.malformed);
    }
}
