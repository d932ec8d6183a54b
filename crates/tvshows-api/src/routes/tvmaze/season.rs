//! Seasons, derived from the stored episodes: the mirror does not fetch TVmaze's own.

use std::collections::BTreeMap;

use serde::Serialize;
use tvshows_core::{Episode, RawJson, Show, ShowId};

/// Above the ids of TVmaze, so that no id is mistaken for one of these.
const FIRST_ID: u32 = 1_000_000_000;
/// Some shows have the years as the numbers of their seasons.
const IDS_PER_SHOW: u32 = 10_000;

/// A season with the fields that TVmaze's has.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Season<'a> {
    /// Not TVmaze's, which is unknown.
    pub(super) id: Option<u32>,
    url: Option<&'a str>,
    pub(super) number: i64,
    name: &'static str,
    /// How many episodes are stored.
    episode_order: usize,
    premiere_date: Option<&'a str>,
    end_date: Option<&'a str>,
    /// The show's.
    network: Option<&'a RawJson>,
    web_channel: Option<&'a RawJson>,
    image: Option<&'a str>,
    summary: Option<&'a str>,
    #[serde(rename = "_links")]
    links: BTreeMap<&'static str, &'static str>,
}

/// The seasons of a show, by number.
pub(super) fn seasons<'a>(show: &'a Show, episodes: &'a [Episode]) -> Vec<Season<'a>> {
    let mut by_number: BTreeMap<i64, Vec<&Episode>> = BTreeMap::new();
    for episode in episodes {
        if let Some(number) = episode.season {
            by_number.entry(number).or_default().push(episode);
        }
    }
    let season = |(number, episodes): (i64, Vec<&'a Episode>)| {
        let days = episodes.iter().filter_map(|episode| episode.airdate.as_deref());
        let days: Vec<&str> = days.filter(|day| !day.is_empty()).collect();
        Season {
            id: season_id(show.id, number),
            url: None,
            number,
            name: "",
            episode_order: episodes.len(),
            premiere_date: days.iter().min().copied(),
            end_date: days.iter().max().copied(),
            network: show.network.as_ref(),
            web_channel: show.web_channel.as_ref(),
            image: None,
            summary: None,
            links: BTreeMap::new(),
        }
    };
    by_number.into_iter().map(season).collect()
}

fn season_id(show: ShowId, number: i64) -> Option<u32> {
    let number = u32::try_from(number).ok().filter(|number| *number < IDS_PER_SHOW)?;
    show.0.checked_mul(IDS_PER_SHOW)?.checked_add(number)?.checked_add(FIRST_ID)
}

/// The show and the number of the season that has an id.
pub(super) fn parse_season_id(id: u32) -> Option<(ShowId, i64)> {
    let id = id.checked_sub(FIRST_ID)?;
    Some((ShowId(id / IDS_PER_SHOW), i64::from(id % IDS_PER_SHOW)))
}

#[cfg(test)]
mod tests {
    use tvshows_core::conformance::fixtures::{episode, show};

    use super::*;

    #[test]
    fn an_id_identifies_a_season() {
        assert_eq!(season_id(ShowId(82), 1), Some(1_000_820_001));
        assert_eq!(parse_season_id(1_000_820_001), Some((ShowId(82), 1)));
        let year = season_id(ShowId(90_000), 2026).unwrap();
        assert_eq!(parse_season_id(year), Some((ShowId(90_000), 2026)));
        assert!(year <= i32::MAX.unsigned_abs(), "clients may read it as a signed number");
        assert_eq!(season_id(ShowId(1), 10_000), None, "it would be the first of show 2");
        assert_eq!(season_id(ShowId(1), -1), None);
        assert_eq!(season_id(ShowId(u32::MAX), 1), None);
        assert_eq!(parse_season_id(82), None);
    }

    #[test]
    fn seasons_are_made_of_their_episodes() {
        let undated = Episode { airdate: Some(String::new()), ..episode(1, 3, "") };
        let next = Episode { season: Some(2), ..episode(1, 4, "2026-12-24") };
        let unknown = Episode { season: None, ..episode(1, 5, "2026-12-25") };
        let episodes =
            [next, episode(1, 2, "2026-11-24"), episode(1, 1, "2026-11-23"), undated, unknown];
        let show = show(1);
        let seasons = serde_json::to_value(seasons(&show, &episodes)).unwrap();
        let numbers: Vec<_> =
            seasons.as_array().unwrap().iter().map(|season| &season["number"]).collect();
        assert_eq!(numbers, [1, 2]);
        let first = &seasons[0];
        assert_eq!(
            (&first["premiereDate"], &first["endDate"], &first["episodeOrder"]),
            (&"2026-11-23".into(), &"2026-11-24".into(), &3.into())
        );
        assert_eq!(
            (&first["webChannel"]["name"], &first["network"]),
            (&"Netflix".into(), &().into())
        );
    }
}
