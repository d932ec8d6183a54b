//! The details of shows: casts and episodes.

use std::collections::BTreeSet;
use std::str::FromStr;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::ser::{Serialize, Serializer};
use serde_json::{Map, Value, json};

use crate::json::{TvmazeObject, json_number, merge, remainder};
use crate::{CastMember, ParseFilterError, ShowFilter, ShowId};

/// Which shows have their episodes and their cast fetched. The casts of the top shows are always fetched.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum DetailsFilter {
    /// Only the casts of the top shows, and no episodes.
    #[default]
    Top,
    /// The episodes and the casts of the shows that match, too.
    Matching(ShowFilter),
}

impl DetailsFilter {
    /// Returns the filter; `None` for the top shows alone.
    #[must_use]
    pub fn filter(&self) -> Option<&ShowFilter> {
        match self {
            DetailsFilter::Top => None,
            DetailsFilter::Matching(filter) => Some(filter),
        }
    }
}

/// A text that is neither `top` nor a filter.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ParseDetailsFilterError {
    #[error("must be `top`, or filters such as language=English&status=Running")]
    NoFilter,
    #[error("`{0}` is given more than once")]
    Repeated(String),
    #[error(transparent)]
    Filter(#[from] ParseFilterError),
}

impl FromStr for DetailsFilter {
    type Err = ParseDetailsFilterError;

    /// Parses `top`, or filters as in the query of a URL.
    fn from_str(text: &str) -> Result<DetailsFilter, ParseDetailsFilterError> {
        if text.trim() == "top" {
            return Ok(DetailsFilter::Top);
        }
        let mut filter = ShowFilter::default();
        let mut given = BTreeSet::new();
        for (parameter, value) in form_urlencoded::parse(text.trim().as_bytes()) {
            filter.set(&parameter, &value)?;
            if !given.insert(parameter.clone()) {
                return Err(ParseDetailsFilterError::Repeated(parameter.into_owned()));
            }
        }
        if filter == ShowFilter::default() {
            return Err(ParseDetailsFilterError::NoFilter);
        }
        Ok(DetailsFilter::Matching(filter))
    }
}

/// The details of a show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowDetails {
    pub show_id: ShowId,
    /// The show's `updated` when they were fetched. If they change, it rises.
    pub updated: Option<i64>,
    /// In TVmaze's order.
    pub cast: Vec<CastMember>,
    /// In TVmaze's order; `None` if only the cast was fetched.
    pub episodes: Option<Vec<Episode>>,
}

/// Details as they are stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredDetails {
    pub details: ShowDetails,
    /// When the details were fetched.
    pub processed_at: Timestamp,
}

/// Which details of a show are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DetailsVersion {
    /// The show's `updated` when they were fetched.
    pub updated: Option<i64>,
    /// Whether they include episodes.
    pub has_episodes: bool,
}

impl ShowDetails {
    #[must_use]
    pub fn version(&self) -> DetailsVersion {
        DetailsVersion { updated: self.updated, has_episodes: self.episodes.is_some() }
    }
}

/// An episode with all of its fields.
///
/// Serializes to the JSON object that TVmaze sent. `extra` holds what no other field can, and takes
/// precedence over the fields.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Episode {
    /// TVmaze's id of the episode.
    pub id: u32,
    pub show_id: ShowId,
    pub season: Option<i64>,
    /// The number in the season; `None` for a special.
    pub number: Option<i64>,
    pub kind: Option<String>,
    pub name: Option<String>,
    /// The day in the time zone of the network, `YYYY-MM-DD`.
    pub airdate: Option<String>,
    /// The time in the time zone of the network, `HH:MM`; empty if unknown.
    pub airtime: Option<String>,
    /// The moment, RFC 3339. Noon if the time is unknown.
    pub airstamp: Option<String>,
    /// In minutes.
    pub runtime: Option<i64>,
    pub rating_average: Option<f64>,
    /// HTML.
    pub summary: Option<String>,
    pub image_medium: Option<String>,
    pub image_original: Option<String>,
    pub url: Option<String>,
    pub extra: Map<String, Value>,
}

/// Ratings are finite.
impl Eq for Episode {}

/// What identifies one or a few episodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EpisodeKey {
    /// TVmaze's id. If several shows have an episode with this id, that of the show with the lowest id.
    Id(u32),
    Number {
        show: ShowId,
        season: i64,
        number: i64,
    },
    Season {
        show: ShowId,
        season: i64,
    },
    Day {
        show: ShowId,
        airdate: Date,
    },
}

impl EpisodeKey {
    /// Returns the show of the episodes, if the key names it.
    #[must_use]
    pub fn show(&self) -> Option<ShowId> {
        match self {
            EpisodeKey::Id(_) => None,
            EpisodeKey::Number { show, .. }
            | EpisodeKey::Season { show, .. }
            | EpisodeKey::Day { show, .. } => Some(*show),
        }
    }

    /// Whether an episode of the show has the key.
    pub(crate) fn matches(&self, episode: &Episode) -> bool {
        match self {
            EpisodeKey::Id(id) => episode.id == *id,
            EpisodeKey::Number { season, number, .. } => {
                (episode.season, episode.number) == (Some(*season), Some(*number))
            }
            EpisodeKey::Season { season, .. } => episode.season == Some(*season),
            EpisodeKey::Day { airdate, .. } => episode.airdate == Some(airdate.to_string()),
        }
    }
}

impl Episode {
    /// Sets `extra` to what the fields lack of the object that was received.
    #[must_use]
    pub fn with_remainder_of(mut self, received: Map<String, Value>) -> Episode {
        self.extra = remainder(received, &self.known());
        self
    }

    /// Returns the object that TVmaze sent.
    #[must_use]
    pub fn to_object(&self) -> Map<String, Value> {
        merge(self.known(), &self.extra)
    }

    /// The object as far as the fields have it.
    fn known(&self) -> Map<String, Value> {
        known(json!({
            "id": self.id,
            "url": self.url,
            "name": self.name,
            "season": self.season,
            "number": self.number,
            "type": self.kind,
            "airdate": self.airdate,
            "airtime": self.airtime,
            "airstamp": self.airstamp,
            "runtime": self.runtime,
            "rating": {"average": self.rating_average.map(json_number)},
            "image": {"medium": self.image_medium, "original": self.image_original},
            "summary": self.summary,
        }))
    }
}

impl Serialize for Episode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        TvmazeObject(self.to_object()).serialize(serializer)
    }
}

impl CastMember {
    /// Sets `extra` to what the fields lack of the object that was received.
    #[must_use]
    pub fn with_remainder_of(mut self, received: Map<String, Value>) -> CastMember {
        self.extra = remainder(received, &self.known());
        self
    }

    /// Returns the object that TVmaze sent, an entry of the cast.
    #[must_use]
    pub fn to_object(&self) -> Map<String, Value> {
        merge(self.known(), &self.extra)
    }

    /// Returns the same object, which serializes with its keys in TVmaze's order.
    #[must_use]
    pub fn to_tvmaze_object(&self) -> TvmazeObject {
        TvmazeObject(self.to_object())
    }

    /// The object as far as the fields have it.
    fn known(&self) -> Map<String, Value> {
        let name = |name: &String| (!name.is_empty()).then(|| name.clone());
        known(json!({
            "person": {
                "id": self.person_id,
                "name": name(&self.person_name),
                "country": {"name": self.person_country_name},
                "birthday": self.person_birthday,
                "deathday": self.person_deathday,
                "gender": self.person_gender,
            },
            "character": {
                "id": self.character_id,
                "name": name(&self.character_name),
                "image": {"original": self.image},
            },
            "self": self.plays_self,
            "voice": self.voice,
        }))
    }
}

/// The object without its missing values.
fn known(value: Value) -> Map<String, Value> {
    let Value::Object(object) = value else { return Map::new() };
    let values = object.into_iter().filter_map(|(key, value)| match value {
        Value::Null => None,
        Value::Object(_) => {
            let nested = known(value);
            (!nested.is_empty()).then_some((key, Value::Object(nested)))
        }
        value => Some((key, value)),
    });
    values.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn details_are_those_of_top_shows_or_of_a_filter() {
        let parse = |text: &str| text.parse::<DetailsFilter>();
        assert_eq!(parse(" top "), Ok(DetailsFilter::Top));
        let mut filter = ShowFilter::default();
        filter.set("language", "English").unwrap();
        filter.set("min_rating", "7").unwrap();
        let expected = Ok(DetailsFilter::Matching(filter));
        assert_eq!(parse("language=English&min_rating=7"), expected);
        for (wrong, reason) in [
            ("", "must be `top`, or filters such as language=English&status=Running"),
            ("genre=Drama&genre=Crime", "`genre` is given more than once"),
            ("id=82&id=", "`id` is given more than once"),
            ("min_rating=good", "`min_rating` must be a number from 0 to 10"),
        ] {
            assert_eq!(parse(wrong).unwrap_err().to_string(), reason, "{wrong}");
        }
    }

    #[test]
    fn an_episode_is_the_object_that_was_sent() {
        let sent = json!({
            "id": 1, "url": "u", "name": "Pilot", "season": 1, "number": null, "type": "regular",
            "airdate": "2013-06-24", "airtime": "", "airstamp": "2013-06-25T02:00:00+00:00", "runtime": 60,
            "rating": {"average": 7.0}, "image": {"medium": "m", "original": "o", "alt": null},
            "summary": null, "_links": {"self": {"href": "h"}}, "new": [1],
        });
        let Value::Object(received) = sent.clone() else { unreachable!() };
        let episode = Episode {
            id: 1,
            url: Some("u".into()),
            name: Some("Pilot".into()),
            season: Some(1),
            kind: Some("regular".into()),
            airdate: Some("2013-06-24".into()),
            airtime: Some(String::new()),
            airstamp: Some("2013-06-25T02:00:00+00:00".into()),
            runtime: Some(60),
            rating_average: Some(7.0),
            image_medium: Some("m".into()),
            image_original: Some("o".into()),
            ..Episode::default()
        };
        let episode = episode.with_remainder_of(received);
        assert_eq!(serde_json::to_value(&episode).unwrap(), sent);
        let rest = json!({
            "number": null, "rating": {"average": 7.0}, "image": {"alt": null}, "summary": null,
            "_links": {"self": {"href": "h"}}, "new": [1],
        });
        assert_eq!(
            Value::Object(episode.extra),
            rest,
            "7.0 is not the 7 that the field would be written as"
        );
    }
}
