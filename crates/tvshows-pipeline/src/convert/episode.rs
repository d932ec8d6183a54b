use serde::Deserialize;
use serde::de::{Deserializer, Error as _};
use serde_json::Map;
use tvshows_core::{Episode, ShowId};

use super::reader::{Reader, mend_extra};

/// An entry of a list of episodes.
pub(crate) struct TvmazeEpisode {
    /// Without its show.
    episode: Episode,
    /// The paths of the values that do not fit their column.
    pub(crate) malformed: Vec<String>,
}

impl TvmazeEpisode {
    pub(crate) fn of_show(self, show: ShowId) -> Episode {
        Episode { show_id: show, ..self.episode }
    }
}

impl<'de> Deserialize<'de> for TvmazeEpisode {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<TvmazeEpisode, D::Error> {
        let mut malformed = Vec::new();
        let received = Map::deserialize(deserializer)?;
        let entry = Reader::new(&received);
        let rating = entry.object("rating", &mut malformed);
        let image = entry.object("image", &mut malformed);
        let episode = Episode {
            id: entry.id().map_err(D::Error::custom)?,
            show_id: ShowId::default(),
            season: entry.integer("season", &mut malformed),
            number: entry.integer("number", &mut malformed),
            kind: entry.text("type", &mut malformed),
            name: entry.text("name", &mut malformed),
            airdate: entry.text("airdate", &mut malformed),
            airtime: entry.text("airtime", &mut malformed),
            airstamp: entry.text("airstamp", &mut malformed),
            runtime: entry.integer("runtime", &mut malformed),
            rating_average: rating.number("average", &mut malformed),
            summary: entry.text("summary", &mut malformed),
            image_medium: image.text("medium", &mut malformed),
            image_original: image.text("original", &mut malformed),
            url: entry.text("url", &mut malformed),
            extra: Map::new(),
        };
        let mut episode = episode.with_remainder_of(received);
        mend_extra(&mut episode.extra, &mut malformed);
        Ok(TvmazeEpisode { episode, malformed })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn episode(sent: Value) -> Result<TvmazeEpisode, serde_json::Error> {
        serde_json::from_value(sent)
    }

    #[test]
    fn an_episode_has_what_tvmaze_sends() {
        let sent = json!({
            "id": 1, "url": "u", "name": "Pilot", "season": 1, "number": 2, "type": "regular",
            "airdate": "2013-06-24", "airtime": "22:00", "airstamp": "2013-06-25T02:00:00+00:00",
            "runtime": 60, "rating": {"average": 7.7}, "image": {"medium": "m", "original": "o"},
            "summary": "<p>S</p>", "_links": {"self": {"href": "h"}},
        });
        let received = episode(sent.clone()).unwrap();
        assert!(received.malformed.is_empty(), "{:?}", received.malformed);
        let received = received.of_show(ShowId(7));
        let expected = Episode {
            id: 1,
            show_id: ShowId(7),
            season: Some(1),
            number: Some(2),
            kind: Some("regular".into()),
            name: Some("Pilot".into()),
            airdate: Some("2013-06-24".into()),
            airtime: Some("22:00".into()),
            airstamp: Some("2013-06-25T02:00:00+00:00".into()),
            runtime: Some(60),
            rating_average: Some(7.7),
            summary: Some("<p>S</p>".into()),
            image_medium: Some("m".into()),
            image_original: Some("o".into()),
            url: Some("u".into()),
            extra: serde_json::from_value(json!({"_links": {"self": {"href": "h"}}})).unwrap(),
        };
        assert_eq!(received, expected);
        assert_eq!(Value::from(received.to_object()), sent);
    }

    #[test]
    fn only_the_id_must_be_right() {
        let sent = json!({
            "id": 1, "url": 1, "name": [], "season": "1", "number": 1.5, "type": {}, "airdate": 0,
            "airtime": null, "runtime": u64::MAX, "rating": 5, "image": {"medium": false, "x": 1},
        });
        let TvmazeEpisode { episode: received, mut malformed } = episode(sent.clone()).unwrap();
        assert_eq!(Value::from(received.to_object()), sent);
        assert_eq!((received.season, received.runtime, received.airtime), (None, None, None));
        malformed.sort_unstable();
        let expected = [
            "airdate",
            "image.medium",
            "name",
            "number",
            "rating",
            "runtime",
            "season",
            "type",
            "url",
        ];
        assert_eq!(malformed, expected);
        for wrong in [json!(null), json!("1"), json!(1.5), json!(-1), json!(u64::MAX), json!([])] {
            let error = episode(json!({"id": wrong})).err().unwrap();
            assert_eq!(error.to_string(), "`id` is missing or invalid");
        }
    }
}
