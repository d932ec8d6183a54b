//! The synthetic dataset on a day after it ends.

use std::collections::HashSet;

use jiff::civil::{Date, date};
use jiff::{Timestamp, ToSpan};
use serde_json::Value;
use tvmaze_sim::Dataset;

use crate::support::{json, list, shows};

const DAY: Date = date(2026, 11, 28);

fn on(day: Date) -> Dataset {
    Dataset::synthetic_on(day, 600, 1)
}

fn id_of(show: &Value) -> u32 {
    show["id"].as_u64().and_then(|id| u32::try_from(id).ok()).expect("an id")
}

fn airdate(episode: &Value) -> Option<Date> {
    episode["airdate"].as_str().expect("a text").parse().ok()
}

/// The shows that have been running since before the day, and have a next episode, with their regular episodes.
fn weekly(dataset: &Dataset) -> Vec<(Value, Vec<Value>)> {
    let mut weekly = shows(dataset);
    weekly.retain(|show| {
        let is_old = show["premiered"].as_str() < Some("2026-07-01");
        is_old && show["_links"]["nextepisode"].is_object()
    });
    let episodes = |show: &Value| list(dataset.episodes(id_of(show)).expect("a show"));
    weekly.into_iter().map(|show| (show.clone(), episodes(&show))).collect()
}

#[test]
fn until_the_dataset_ends_the_day_makes_no_difference() {
    let fixed = Dataset::synthetic(600, 1);
    for day in [date(1999, 1, 1), date(2026, 7, 1)] {
        let dataset = on(day);
        assert_eq!((dataset.updates(), dataset.page(1)), (fixed.updates(), fixed.page(1)));
        for id in 1..=600 {
            assert_eq!(dataset.episodes_and_specials(id), fixed.episodes_and_specials(id));
        }
    }
}

#[test]
fn running_shows_have_an_episode_each_week_before_and_after_the_day() {
    let weekly = weekly(&on(DAY));
    assert!((60..120).contains(&weekly.len()), "{} of 600", weekly.len());
    let mut days = HashSet::new();
    for (show, episodes) in &weekly {
        let dates: Vec<Date> = episodes.iter().filter_map(airdate).collect();
        for week in -3..12 {
            let first = DAY + (7 * week).days();
            let in_week = |date: &&Date| (first..first + 7.days()).contains(*date);
            let found = dates.iter().filter(in_week).count();
            assert_eq!(found, 1, "{first}: {show}");
        }
        let next = dates.iter().find(|date| **date >= DAY).expect("an episode");
        days.insert(next.weekday());
        let scheduled = list(show["schedule"]["days"].to_string());
        let day = next.strftime("%A").to_string();
        assert!(scheduled.is_empty() || scheduled.contains(&day.into()), "{show}");
    }
    assert_eq!(days.len(), 7);
}

#[test]
fn a_show_links_to_the_episodes_around_the_day_and_changed_after_the_last_one() {
    for (show, episodes) in weekly(&on(DAY)) {
        let linked = |name: &str| {
            let link = &show["_links"][name];
            let id: u64 = link["href"].as_str()?.rsplit('/').next()?.parse().ok()?;
            let position = episodes.iter().position(|episode| episode["id"] == id)?;
            assert_eq!(link["name"], episodes[position]["name"]);
            Some(position)
        };
        let (previous, next) = (linked("previousepisode"), linked("nextepisode"));
        let next = next.expect("a next episode");
        assert_eq!(previous, Some(next - 1), "{show}");
        assert_eq!(episodes.len() - next, 12, "announced");
        assert!(airdate(&episodes[next]) >= Some(DAY));
        let previous = airdate(&episodes[next - 1]).expect("a date");
        let midnight = format!("{}T00:00:00Z", previous + 1.day());
        let midnight: Timestamp = midnight.parse().expect("a time");
        assert_eq!(show["updated"], midnight.as_second(), "{show}");
    }
}

#[test]
fn episodes_and_seasons_have_ids_and_numbers_of_their_own() {
    let dataset = on(date(2031, 1, 1));
    let mut ids = HashSet::new();
    let mut season_ids = HashSet::new();
    for show in shows(&dataset) {
        let id = id_of(&show);
        let mut numbers = HashSet::new();
        for episode in list(dataset.episodes_and_specials(id).expect("a show")) {
            assert!(ids.insert(episode["id"].as_u64()), "{episode}");
            let number = (episode["season"].as_u64(), episode["number"].as_u64());
            assert!(numbers.insert(number) || number.1.is_none(), "{episode}");
        }
        for season in list(dataset.seasons(id).expect("a show")) {
            assert!(season_ids.insert(season["id"].as_u64()), "{season}");
        }
    }
}

#[test]
fn on_the_next_day_only_shows_with_an_episode_differ() {
    let (today, tomorrow) = (on(DAY), on(DAY + 1.day()));
    let midnight: Timestamp = "2026-11-29T00:00:00Z".parse().expect("a time");
    let updates = [&today, &tomorrow].map(|dataset| json(dataset.updates()));
    let mut changed = 0;
    for show in shows(&today) {
        let id = id_of(&show);
        let old = list(today.episodes(id).expect("a show"));
        let new = list(tomorrow.episodes(id).expect("a show"));
        assert_eq!(today.cast(id), tomorrow.cast(id));
        let is_weekly = show["_links"]["nextepisode"].is_object();
        if is_weekly && old.iter().any(|episode| airdate(episode) == Some(DAY)) {
            changed += 1;
            assert_eq!(updates[1][id.to_string()], midnight.as_second());
            assert_eq!((&new[..old.len()], new.len()), (&old[..], old.len() + 1));
        } else {
            assert_eq!(updates[1][id.to_string()], updates[0][id.to_string()], "{show}");
            assert_eq!(today.show(id), tomorrow.show(id));
            assert_eq!((today.seasons(id), old), (tomorrow.seasons(id), new));
        }
    }
    assert!((5..25).contains(&changed), "{changed} of 600");
}
