//! The schedules: episodes of all shows by date.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::RangeBounds;

use bytes::Bytes;
use hyper::StatusCode;
use jiff::civil::Date;
use serde_json::Value;

use crate::episode_list::{json_list, parse};
use crate::route::parameter;
use crate::source::Source;

/// What a schedule has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Schedule {
    /// The episodes on a network of this country on a day.
    Network { country: String, date: Option<Date> },
    /// Those on a web channel, of this country or, if it is empty, of none.
    Web { country: Option<String>, date: Option<Date> },
    /// All from today on.
    Full,
}

/// The shows with an episode on a day.
#[derive(Debug)]
pub(crate) struct ScheduleIndex {
    shows: BTreeMap<String, Vec<u32>>,
    today: String,
}

struct ScheduledEpisode {
    /// The time, then an id.
    position: (String, u64),
    text: String,
}

impl Schedule {
    pub(crate) fn parse(kind: Option<&str>, query: &str) -> Result<Self, StatusCode> {
        let date = match parameter(query, "date") {
            Some(date) => Some(date.parse().map_err(|_| StatusCode::UNPROCESSABLE_ENTITY)?),
            None => None,
        };
        let country = parameter(query, "country").map(Cow::into_owned);
        let is_code = |code: &String| {
            code.len() == 2 && code.bytes().all(|letter| letter.is_ascii_alphabetic())
        };
        let is_valid = |code: &String| is_code(code) || (kind.is_some() && code.is_empty());
        if country.as_ref().is_some_and(|country| !is_valid(country)) {
            return Err(StatusCode::UNPROCESSABLE_ENTITY);
        }
        let country = country.map(|country| country.to_ascii_uppercase());
        match kind {
            None => Ok(Self::Network { country: country.unwrap_or_else(|| "US".to_owned()), date }),
            Some("web") => Ok(Self::Web { country, date }),
            Some("full") => Ok(Self::Full),
            Some(_) => Err(StatusCode::NOT_FOUND),
        }
    }

    fn includes(&self, show: &Value) -> bool {
        match self {
            Self::Network { country, .. } => show["network"]["country"]["code"] == **country,
            Self::Web { country: None, .. } => !show["webChannel"].is_null(),
            Self::Web { country: Some(country), .. } => {
                let code = show["webChannel"]["country"]["code"].as_str();
                !show["webChannel"].is_null() && code.unwrap_or_default() == country.as_str()
            }
            Self::Full => true,
        }
    }
}

impl ScheduleIndex {
    pub(crate) fn new(source: &dyn Source) -> Self {
        let mut shows: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for (id, _) in source.update_times() {
            let episodes = source.episodes(id).unwrap_or_default();
            for episode in parse(&episodes) {
                let on_day = shows.entry(episode.header.airdate().to_owned()).or_default();
                if on_day.last() != Some(&id) {
                    on_day.push(id);
                }
            }
        }
        Self { shows, today: source.today().to_string() }
    }

    /// The episodes of a schedule in broadcast order, each with its show.
    pub(crate) fn render(&self, source: &dyn Source, schedule: &Schedule) -> Bytes {
        let day =
            |date: &Option<Date>| date.map_or_else(|| self.today.clone(), |date| date.to_string());
        let mut episodes = match schedule {
            Schedule::Network { date, .. } | Schedule::Web { date, .. } => {
                let day = day(date);
                self.episodes(source, schedule, day.clone()..=day)
            }
            Schedule::Full => self.episodes(source, schedule, self.today.clone()..),
        };
        // The sort is stable, so the episodes of a show remain in order.
        episodes.sort_by(|one, other| one.position.cmp(&other.position));
        json_list(episodes.iter().map(|episode| &*episode.text))
    }

    /// The episodes on some days.
    fn episodes(
        &self,
        source: &dyn Source,
        schedule: &Schedule,
        days: impl RangeBounds<String>,
    ) -> Vec<ScheduledEpisode> {
        let mut found = Vec::new();
        for (day, shows) in self.shows.range(days) {
            for &id in shows {
                let show = source.show(id).unwrap_or_default();
                if !serde_json::from_slice(&show).is_ok_and(|show: Value| schedule.includes(&show))
                {
                    continue;
                }
                let list = source.episodes(id).unwrap_or_default();
                let on_day = |airdate: &str| airdate == day;
                let episodes = parse(&list);
                for episode in episodes.iter().filter(|episode| on_day(episode.header.airdate())) {
                    let text = with_show(episode.text, &show, schedule);
                    // TVmaze sorts episodes at the same time by their ids in the schedule of networks, and by the ids of
                    // their shows in the others.
                    let id = match schedule {
                        Schedule::Network { .. } => episode.header.id.as_u64().unwrap_or_default(),
                        Schedule::Web { .. } | Schedule::Full => id.into(),
                    };
                    let position = (episode.header.airstamp().to_owned(), id);
                    found.push(ScheduledEpisode { position, text });
                }
            }
        }
        found
    }
}

/// An episode with its show, which only `/schedule` has outside of `_embedded`.
fn with_show(episode: &str, show: &[u8], schedule: &Schedule) -> String {
    let fields = episode.strip_suffix('}').unwrap_or(episode);
    let show = String::from_utf8_lossy(show);
    match schedule {
        Schedule::Network { .. } => {
            let (fields, links) =
                fields.split_at(fields.rfind(",\"_links\":").unwrap_or(fields.len()));
            format!("{fields},\"show\":{show}{links}}}")
        }
        _ => format!("{fields},\"_embedded\":{{\"show\":{show}}}}}"),
    }
}
