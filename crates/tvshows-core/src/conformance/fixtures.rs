//! Shows, casts and runs to fill a backend with.

#![expect(clippy::missing_panics_doc, reason = "constants that cannot fail")]

use std::sync::Arc;

use jiff::Timestamp;
use serde_json::{Map, json};

use super::Store;
use crate::{
    CastMember, Episode, FinalStatus, Ownership, RawJson, RunEvent, RunId, RunParameters,
    RunSession, RunStatus, Show, ShowDetails, ShowId, StagedBatch, TopLimit, TopShowsCriteria,
    Trigger, Years,
};

/// A process with the store's lock and no lease.
pub const WITH_LOCK: Ownership = Ownership { lock: true, lease: false };
/// A process with the store's lock and a lease.
pub const WITH_LEASE: Ownership = Ownership { lock: true, lease: true };

/// Acquires the run lock as the process `here`, which owns every run of these fixtures.
pub async fn lock(store: &impl Store) {
    assert!(store.acquire("here", None).await.expect("acquire"), "the lock is free");
}

/// Starts an attempt, as the holder of the lock.
pub async fn begin(store: &impl Store, status: &RunStatus) -> Box<dyn RunSession> {
    lock(store).await;
    store.begin(status, WITH_LOCK).await.expect("begin")
}

/// A complete run that publishes these shows, with a cast of one person for each show in `top`.
pub async fn publish(store: &impl Store, shows: Vec<Show>, top: &[u32]) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, shows)], at(2)), &status).await.expect("stage");
    for id in top {
        let cast = vec![cast_member(*id, 1, 10 * id)];
        session.commit(cast_of(&show(*id), cast, at(3)), &status).await.expect("cast");
    }
    let top: Vec<ShowId> = top.iter().copied().map(ShowId).collect();
    session.publish(&top, &[], at(4), success(&status)).await.expect("publish");
}

/// A complete run that publishes these shows at `at(second)`, without top shows.
pub async fn publish_at(store: &impl Store, shows: Vec<Show>, second: i64) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, shows)], at(second)), &status).await.expect("stage");
    session.publish(&[], &[], at(second), success(&status)).await.expect("publish");
}

/// A batch of index pages.
#[must_use]
pub fn pages(pages: Vec<(u32, Vec<Show>)>, at: Timestamp) -> Option<Arc<StagedBatch>> {
    Some(Arc::new(StagedBatch::Pages { pages, at }))
}

/// A batch with the cast of a show.
#[must_use]
pub fn cast_of(show: &Show, cast: Vec<CastMember>, at: Timestamp) -> Option<Arc<StagedBatch>> {
    details_of(show, cast, None, at)
}

/// A batch with the details of a show.
#[must_use]
pub fn details_of(
    show: &Show,
    cast: Vec<CastMember>,
    episodes: Option<Vec<Episode>>,
    at: Timestamp,
) -> Option<Arc<StagedBatch>> {
    let details = ShowDetails { show_id: show.id, updated: show.updated, cast, episodes };
    Some(Arc::new(StagedBatch::Shows { shows: Vec::new(), details: vec![details], at }))
}

/// A batch of shows that were fetched individually.
#[must_use]
pub fn shows(shows: Vec<Show>, at: Timestamp) -> Option<Arc<StagedBatch>> {
    Some(Arc::new(StagedBatch::Shows { shows, details: Vec::new(), at }))
}

/// A batch of shows that no longer exist.
#[must_use]
pub fn deletions(shows: &[u32]) -> Option<Arc<StagedBatch>> {
    Some(Arc::new(StagedBatch::Deletions(shows.iter().copied().map(ShowId).collect())))
}

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
    status.trigger = Some(Trigger::CommandLine);
    status.apply(RunEvent::Started, at(1));
    status.apply(RunEvent::MalformedShows(2), at(1));
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
    let json = |value| Some(RawJson::from_value(&value).expect("JSON"));
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

/// A person who plays a character in a show made by [`show`].
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
        extra: Map::from_iter([("of tomorrow".into(), json!([person_id]))]),
    }
}

/// An episode, of a show made by [`show`], that airs on a day in 2026.
#[must_use]
pub fn episode(show_id: u32, number: u32, airdate: &str) -> Episode {
    let id = show_id * 1000 + number;
    let image = format!("https://static.tvmaze.com/{id}.jpg");
    Episode {
        id,
        show_id: ShowId(show_id),
        season: Some(1),
        number: Some(number.into()),
        kind: Some("regular".into()),
        name: Some(format!("Episode \u{201c}{number}\u{201d}")),
        airdate: Some(airdate.into()),
        airtime: Some("21:00".into()),
        airstamp: Some(format!("{airdate}T21:00:00+00:00")),
        runtime: Some(60),
        rating_average: Some(7.5),
        summary: Some("<p>One &amp; <b>two</b></p>".into()),
        image_medium: Some(image.clone()),
        image_original: Some(image),
        url: Some(format!("https://www.tvmaze.com/episodes/{id}")),
        extra: Map::from_iter([("_links".into(), json!({"show": {"name": null}}))]),
    }
}

/// The ten years before 2026.
#[must_use]
pub fn criteria(top: u16) -> TopShowsCriteria {
    let top = TopLimit::new(top).expect("within the range");
    TopShowsCriteria { years: Years::default(), top, this_year: 2026 }
}

/// The final status of a successful run, for [`publish`](crate::RunSession::publish).
#[must_use]
pub fn success(status: &RunStatus) -> FinalStatus {
    let status = status.clone();
    Arc::new(move |changes| after(&status, RunEvent::Succeeded(changes)))
}
