use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use actix_web::web::Bytes;
use serde::Serialize;
use serde_json::Value;
use tvshows_core::{Catalog, Episode, RawJson, Show};

use super::content::{cast_of, episodes_of, not_mirrored, show_of};
use super::schedule::EpisodeWithShow;
use super::season::seasons;
use crate::content::json;
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

/// What TVmaze can embed in an episode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum EpisodeEmbed {
    GuestCast,
    GuestCrew,
    Show,
}

impl FromStr for EpisodeEmbed {
    type Err = ();

    fn from_str(name: &str) -> Result<EpisodeEmbed, ()> {
        match name {
            "guestcast" => Ok(EpisodeEmbed::GuestCast),
            "guestcrew" => Ok(EpisodeEmbed::GuestCrew),
            "show" => Ok(EpisodeEmbed::Show),
            _ => Err(()),
        }
    }
}

#[derive(Serialize)]
pub(super) struct ShowWithEmbeds {
    #[serde(flatten)]
    show: Show,
    #[serde(rename = "_embedded", skip_serializing_if = "Option::is_none")]
    embedded: Option<BTreeMap<&'static str, RawJson>>,
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
    let mut embedded = BTreeMap::new();
    for embed in embeds {
        let (name, value) = match embed {
            Embed::Cast => ("cast", Some(to_json(&cast_of(show.id, catalog).await?)?)),
            Embed::Episodes => ("episodes", Some(to_json(&episodes)?)),
            Embed::Seasons => ("seasons", Some(to_json(&seasons(&show, &episodes))?)),
            Embed::NextEpisode => (NEXT_EPISODE, linked(NEXT_EPISODE, &show, &episodes)?),
            Embed::PreviousEpisode => {
                (PREVIOUS_EPISODE, linked(PREVIOUS_EPISODE, &show, &episodes)?)
            }
            Embed::Akas => return Err(not_mirrored("alternative names")),
            Embed::Crew => return Err(not_mirrored("crews")),
            Embed::Images => return Err(not_mirrored("lists of images")),
        };
        if let Some(value) = value {
            embedded.insert(name, value);
        }
    }
    Ok(ShowWithEmbeds { show, embedded: Some(embedded) })
}

/// The body of an episode with what is embedded in it.
pub(super) async fn render_episode(
    episode: Episode,
    embeds: &BTreeSet<EpisodeEmbed>,
    catalog: &dyn Catalog,
) -> Result<Bytes, Problem> {
    let mut show = None;
    for embed in embeds {
        match embed {
            EpisodeEmbed::GuestCast => return Err(not_mirrored("guest casts")),
            EpisodeEmbed::GuestCrew => return Err(not_mirrored("guest crews")),
            EpisodeEmbed::Show => show = Some(show_of(episode.show_id, catalog).await?),
        }
    }
    match &show {
        Some(show) => json(&EpisodeWithShow::new(&episode, show)),
        None => json(&episode),
    }
}

/// The episode to which the show has a link, if it has one.
fn linked(relation: &str, show: &Show, episodes: &[Episode]) -> Result<Option<RawJson>, Problem> {
    let Some(id) = linked_id(relation, show) else { return Ok(None) };
    let episode = episodes.iter().find(|episode| episode.id == id);
    let unknown = || not_mirrored(&format!("episode {id}, a special"));
    to_json(episode.ok_or_else(unknown)?).map(Some)
}

fn linked_id(relation: &str, show: &Show) -> Option<u32> {
    let links: Value = serde_json::from_str(show.links.as_ref()?.as_str()).ok()?;
    let (_, id) = links.get(relation)?.get("href")?.as_str()?.rsplit_once('/')?;
    id.parse().ok()
}

fn to_json(data: &impl Serialize) -> Result<RawJson, Problem> {
    RawJson::from_value(data).map_err(crate::content::unserializable)
}
