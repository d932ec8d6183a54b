use std::collections::BTreeSet;
use std::str::FromStr;

use serde::Serialize;
use serde_json::{Map, Value};
use tvshows_core::{Catalog, Episode, Show};

use super::content::{cast_of, episodes_of};
use super::season::seasons;
use crate::problem::Problem;

/// What TVmaze can embed in a show.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Embed {
    Akas,
    Cast,
    Crew,
    Episodes,
    Images,
    NextEpisode,
    PreviousEpisode,
    Seasons,
}

/// The names of links, which are also those of embeds.
const NEXT_EPISODE: &str = "nextepisode";
const PREVIOUS_EPISODE: &str = "previousepisode";

impl Embed {
    fn needs_episodes(self, show: &Show) -> bool {
        match self {
            Embed::Episodes | Embed::Seasons => true,
            Embed::NextEpisode => linked_id(NEXT_EPISODE, show).is_some(),
            Embed::PreviousEpisode => linked_id(PREVIOUS_EPISODE, show).is_some(),
            Embed::Akas | Embed::Cast | Embed::Crew | Embed::Images => false,
        }
    }
}

impl FromStr for Embed {
    type Err = ();

    fn from_str(name: &str) -> Result<Embed, ()> {
        match name {
            "akas" => Ok(Embed::Akas),
            "cast" => Ok(Embed::Cast),
            "crew" => Ok(Embed::Crew),
            "episodes" => Ok(Embed::Episodes),
            "images" => Ok(Embed::Images),
            NEXT_EPISODE => Ok(Embed::NextEpisode),
            PREVIOUS_EPISODE => Ok(Embed::PreviousEpisode),
            "seasons" => Ok(Embed::Seasons),
            _ => Err(()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ShowWithEmbeds {
    #[serde(flatten)]
    show: Show,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<Map<String, Value>>,
}

/// Adds what is embedded. Reads it after the show, so that it is at least as new.
pub(super) async fn embed(
    show: Show,
    embeds: &BTreeSet<Embed>,
    catalog: &dyn Catalog,
) -> Result<ShowWithEmbeds, Problem> {
    if embeds.is_empty() {
        return Ok(ShowWithEmbeds { show, embedded: None });
    }
    let episodes = if embeds.iter().any(|embed| embed.needs_episodes(&show)) {
        episodes_of(show.id, catalog).await?
    } else {
        Vec::new()
    };
    let mut embedded = Map::new();
    for embed in embeds {
        let (name, value) = match embed {
            Embed::Cast => ("cast", Some(to_value(&cast_of(show.id, catalog).await?)?)),
            Embed::Episodes => ("episodes", Some(to_value(&episodes)?)),
            Embed::Seasons => ("seasons", Some(to_value(&seasons(&show, &episodes))?)),
            Embed::NextEpisode => (NEXT_EPISODE, linked(NEXT_EPISODE, &show, &episodes)?),
            Embed::PreviousEpisode => {
                (PREVIOUS_EPISODE, linked(PREVIOUS_EPISODE, &show, &episodes)?)
            }
            Embed::Akas => return Err(not_mirrored("alternative names")),
            Embed::Crew => return Err(not_mirrored("crews")),
            Embed::Images => return Err(not_mirrored("lists of images")),
        };
        if let Some(value) = value {
            embedded.insert(name.to_owned(), value);
        }
    }
    Ok(ShowWithEmbeds { show, embedded: Some(embedded) })
}

fn not_mirrored(what: &str) -> Problem {
    Problem::NotMirrored(format!("this mirror of TVmaze does not hold {what}"))
}

/// The episode to which the show has a link, if it has one.
fn linked(relation: &str, show: &Show, episodes: &[Episode]) -> Result<Option<Value>, Problem> {
    let Some(id) = linked_id(relation, show) else { return Ok(None) };
    let episode = episodes.iter().find(|episode| episode.id == id);
    let unknown = || {
        let reason = format!("this mirror of TVmaze does not hold episode {id}, a special");
        Problem::NotMirrored(reason)
    };
    to_value(episode.ok_or_else(unknown)?).map(Some)
}

fn linked_id(relation: &str, show: &Show) -> Option<u32> {
    let links: Value = serde_json::from_str(show.links.as_ref()?.as_str()).ok()?;
    let (_, id) = links.get(relation)?.get("href")?.as_str()?.rsplit_once('/')?;
    id.parse().ok()
}

fn to_value(data: &impl Serialize) -> Result<Value, Problem> {
    serde_json::to_value(data).map_err(crate::content::unserializable)
}
