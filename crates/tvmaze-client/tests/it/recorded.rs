//! Recorded responses of TVmaze, if available in `../shared/tvmaze` next to the checkout.

use std::fmt::Debug;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};
use tvmaze_client::{
    Aka, CastCredit, CastMember, CrewMember, Episode, Person, ScheduledEpisode, ScoredPerson,
    ScoredShow, Season, Show, ShowImage, WithEmbedded, embed,
};

use crate::models::survives;

/// The objects in a file or folder of recordings; skipped if there are no recordings.
fn recordings(name: &str) -> Vec<Value> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tvmaze").join(name);
    if !root.exists() {
        println!("skipped: no recordings in {}", root.display());
        return Vec::new();
    }
    let files = match std::fs::read_dir(&root) {
        Ok(files) => files.map(|file| file.unwrap().path()).collect(),
        Err(_) => vec![root],
    };
    files.iter().flat_map(|path| objects(path)).collect()
}

/// The objects in a JSON list or an NDJSON file.
fn objects(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).unwrap();
    if path.extension().is_some_and(|extension| extension == "ndjson") {
        return text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    }
    serde_json::from_str(&text).unwrap()
}

/// Checks that every object of `name` survives a round trip and has no unknown keys except `unknown`.
fn all_survive<T: DeserializeOwned + Serialize + PartialEq + Debug>(
    name: &str,
    extra: fn(&T) -> &Map<String, Value>,
    unknown: &[&str],
) {
    for recorded in recordings(name) {
        let item: T = survives(&recorded);
        let unknown = |key: &&String| !unknown.contains(&key.as_str());
        assert_eq!(extra(&item).keys().find(unknown), None, "{name}: {recorded}");
    }
}

#[test]
fn every_show_survives() {
    for name in ["pages", "versions.ndjson", "other/shows-page"] {
        all_survive::<Show>(name, |show| &show.extra, &[]);
    }
}

#[test]
fn every_cast_and_crew_survives() {
    for name in [
        "cast",
        "other/cast-versions",
        "other/cast-unknown-show",
        "other/cast-links-stripped-by-recorder",
    ] {
        all_survive::<CastMember>(name, |member| &member.extra, &[]);
    }
    all_survive::<CrewMember>("other/crew", |member| &member.extra, &[]);
}

/// Marks entries written by a notebook, which have the text of a Python dictionary in place of an object.
const NOTEBOOK_KEY: &str = "_deepnote_index_column";

#[test]
fn every_episode_survives() {
    for recorded in recordings("other/episodes") {
        if recorded.get(NOTEBOOK_KEY).is_some() {
            let read: Result<Episode, _> = serde_json::from_value(recorded);
            assert!(read.unwrap_err().to_string().contains("expected struct"));
            continue;
        }
        let episode: Episode = survives(&recorded);
        assert!(episode.extra.keys().all(|key| key == "_embedded"), "{recorded}");
    }
    all_survive::<Episode>("other/episodes-single", |episode| &episode.extra, &["_embedded"]);
}

#[test]
fn every_embedded_show_survives() {
    for recorded in recordings("other/episodes-single") {
        if recorded.get("_embedded").is_some() {
            let episode: WithEmbedded<Episode, embed::Show> = survives(&recorded);
            assert!(!episode.extra.contains_key("_embedded"), "{recorded}");
            assert!(episode.embedded.extra.is_empty(), "{recorded}");
        }
    }
}

#[test]
fn every_schedule_survives() {
    for name in ["other/schedule", "other/schedule-web"] {
        all_survive::<ScheduledEpisode>(name, |scheduled| &scheduled.episode.extra, &[]);
        all_survive::<ScheduledEpisode>(name, |scheduled| &scheduled.show.extra, &[]);
    }
}

#[test]
fn every_season_aka_and_image_survives() {
    // A recorder replaced the links of some seasons with their episodes.
    all_survive::<Season>("other/seasons", |season| &season.extra, &["episodes"]);
    all_survive::<Aka>("other/akas", |aka| &aka.extra, &[]);
    all_survive::<ShowImage>("other/images", |image| &image.extra, &[]);
}

#[test]
fn every_person_and_credit_survives() {
    for name in ["other/people", "other/people-index"] {
        all_survive::<Person>(name, |person| &person.extra, &[]);
    }
    all_survive::<CastCredit>("other/castcredits", |credit| &credit.extra, &[]);
}

#[test]
fn every_search_survives() {
    all_survive::<ScoredShow>("other/search-shows", |scored| &scored.extra, &[]);
    all_survive::<ScoredPerson>("other/search-people", |scored| &scored.extra, &[]);
}
