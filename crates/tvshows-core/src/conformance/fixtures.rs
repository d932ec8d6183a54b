//! Shows, casts and runs to fill a backend with.

#![expect(clippy::missing_panics_doc, reason = "constants that cannot fail")]

use jiff::Timestamp;
use serde_json::{Map, json};

use crate::{
    CastMember, FinalStatus, Ownership, RawJson, RunEvent, RunId, RunParameters, RunStatus, Show,
    ShowId, TopLimit, TopShowsCriteria, Years,
};

/// The rights of a process that needs no lease.
pub const BY_CLAIM: Ownership = Ownership { claim: true, lease: false };
/// The rights of a process with a lease.
pub const BY_BOTH: Ownership = Ownership { claim: true, lease: true };

/// `second` seconds after a fixed moment in 2026.
#[must_use]
pub fn at(second: i64) -> Timestamp {
    let start: Timestamp = "2026-11-22T10:00:00Z".parse().expect("a timestamp");
    start + jiff::SignedDuration::from_secs(second)
}

/// A run that has started.
#[must_use]
pub fn running() -> RunStatus {
    let mut status = RunStatus::queued(RunId::random(), RunParameters::default(), "here", at(0));
    status.apply(RunEvent::Started, at(1));
    status
}

/// `status` after `event`.
#[must_use]
pub fn after(status: &RunStatus, event: RunEvent) -> RunStatus {
    let mut status = status.clone();
    let now = status.updated_at + jiff::SignedDuration::from_secs(1);
    status.apply(event, now);
    status
}

/// An English Action show of 2020 with a value in every field.
#[must_use]
pub fn show(id: u32) -> Show {
    let json = |value| Some(RawJson::of(&value).expect("JSON"));
    let mut extra = Map::new();
    extra.insert("a key of tomorrow".into(), json!({"nested": [1, 2.5, null]}));
    Show {
        id: ShowId(id),
        name: format!("Show \u{201c}{id}\u{201d} \u{a0}Кухня"),
        kind: Some("Scripted".into()),
        language: Some("English".into()),
        genres: vec!["Drama".into(), "Action".into()],
        status: Some("Ended".into()),
        premiered: Some("2020-05-01".into()),
        ended: Some("2021-05-01".into()),
        rating_average: Some(8.0),
        summary: Some("<p>One &amp; <b>two</b></p>".into()),
        updated: Some(1_700_000_000),
        url: Some(format!("https://www.tvmaze.com/shows/{id}/show")),
        runtime: Some(60),
        average_runtime: Some(61),
        official_site: None,
        weight: Some(50),
        schedule: json(json!({"time": "", "days": []})),
        network: None,
        web_channel: json(json!({"id": 1, "name": "Netflix", "country": null})),
        dvd_country: None,
        externals: json(json!({"tvrage": null, "thetvdb": 5, "imdb": "tt1"})),
        image: None,
        links: json(json!({"self": {"href": format!("https://api.tvmaze.com/shows/{id}")}})),
        extra,
    }
}

/// A person in a character of a show made by [`show`].
#[must_use]
pub fn cast_member(show_id: u32, person_id: u32, character_id: u32) -> CastMember {
    CastMember {
        show_id: ShowId(show_id),
        show_name: show(show_id).name,
        person_id,
        person_name: format!("Person {person_id}"),
        person_birthday: Some("1980-01-01".into()),
        person_deathday: None,
        person_gender: Some("Female".into()),
        person_country_name: Some("France".into()),
        character_id,
        character_name: format!("Character {character_id}"),
        image: None,
        plays_self: Some(false),
        voice: None,
    }
}

/// The last ten years, seen from 2026.
#[must_use]
pub fn criteria(top: u16) -> TopShowsCriteria {
    let top = TopLimit::new(top).expect("within the range");
    TopShowsCriteria { years: Years::default(), top, this_year: 2026 }
}

/// The end of a run that succeeds, for publishing it.
#[must_use]
pub fn success(status: &RunStatus) -> FinalStatus {
    let status = status.clone();
    Box::new(move |changes| after(&status, RunEvent::Succeeded(changes)))
}
