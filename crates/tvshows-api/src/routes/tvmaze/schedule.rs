use actix_web::web::Bytes;
use jiff::Timestamp;
use jiff::civil::Date;
use serde::Serialize;
use serde_json::Value;
use tvshows_core::{
    Catalog, Episode, Facet, FacetFilter, RawJson, ScheduleQuery, ScheduledEpisode, Show,
    ShowFilter,
};

use crate::content::json;
use crate::problem::Problem;

/// One of TVmaze's schedules.
#[derive(Debug)]
pub(crate) enum ScheduleRequest {
    /// What the networks of a country broadcast.
    Networks { day: Date, country: String },
    /// What web channels release: all of them, those of a country, or, if it is empty, the global ones.
    WebChannels { day: Date, country: Option<String> },
    /// All from a day on.
    From(Date),
}

impl ScheduleRequest {
    pub(super) fn first_day(&self) -> Date {
        match self {
            ScheduleRequest::Networks { day, .. }
            | ScheduleRequest::WebChannels { day, .. }
            | ScheduleRequest::From(day) => *day,
        }
    }

    fn query(&self) -> ScheduleQuery {
        let first = self.first_day();
        let mut filter = ShowFilter::default();
        // The country of a show is that of its network, or else of its web channel, so it cannot choose web channels.
        if let ScheduleRequest::Networks { country, .. } = self {
            filter.facets.insert(Facet::Country, FacetFilter::Is(country.clone()));
        }
        let last = if let ScheduleRequest::From(_) = self { Date::MAX } else { first };
        ScheduleQuery { filter, first, last }
    }

    fn contains(&self, show: &Show) -> bool {
        match self {
            ScheduleRequest::Networks { country, .. } => {
                country_code(show.network.as_ref()).as_ref() == Some(country)
            }
            ScheduleRequest::WebChannels { country, .. } => {
                let code = country_code(show.web_channel.as_ref());
                show.web_channel.is_some()
                    && country.as_ref().is_none_or(|wanted| *wanted == code.unwrap_or_default())
            }
            ScheduleRequest::From(_) => true,
        }
    }

    pub(super) async fn render(self, catalog: &dyn Catalog) -> Result<Bytes, Problem> {
        let schedule = catalog.schedule(self.query()).await?;
        let broadcasts = schedule.episodes.iter().filter_map(|episode| {
            let show = schedule.shows.get(&episode.show_id)?;
            self.contains(show).then_some((episode, show))
        });
        if let ScheduleRequest::Networks { .. } = self {
            let mut broadcasts: Vec<_> = broadcasts
                .map(|(episode, show)| ScheduledEpisode { episode, show: Some(show) })
                .collect();
            // Episodes at the same time are in the order of their ids; in other schedules, in that of their shows.
            broadcasts.sort_by_cached_key(|ScheduledEpisode { episode, .. }| {
                let stamp = episode.airstamp.as_deref();
                let moment = stamp.and_then(|stamp| stamp.parse::<Timestamp>().ok());
                (moment.is_none(), moment, episode.id)
            });
            return json(&broadcasts);
        }
        let releases = broadcasts.map(|(episode, show)| EpisodeWithShow::new(episode, show));
        json(&releases.collect::<Vec<_>>())
    }
}

/// An episode with its show in `_embedded`.
#[derive(Serialize)]
pub(super) struct EpisodeWithShow<'a> {
    #[serde(flatten)]
    episode: &'a Episode,
    #[serde(rename = "_embedded")]
    embedded: Embedded<'a>,
}

impl<'a> EpisodeWithShow<'a> {
    pub(super) fn new(episode: &'a Episode, show: &'a Show) -> EpisodeWithShow<'a> {
        EpisodeWithShow { episode, embedded: Embedded { show } }
    }
}

#[derive(Serialize)]
struct Embedded<'a> {
    show: &'a Show,
}

fn country_code(channel: Option<&RawJson>) -> Option<String> {
    let channel: Value = serde_json::from_str(channel?.as_str()).ok()?;
    Some(channel.get("country")?.get("code")?.as_str()?.to_owned())
}
