//! The promises of every backend about the details of shows: casts and episodes.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: this is a test suite")]

use jiff::civil::{Date, date};
use serde_json::{Value, json};

use super::Store;
use super::fixtures::{
    after, at, begin, cast_member, cast_of, deletions, details_of, episode, pages, publish,
    running, show, shows, success,
};
use crate::{
    ChangeCounts, DetailsVersion, Episode, EpisodeKey, RawJson, RunEvent, RunStatus, ScheduleQuery,
    Show, ShowFilter, ShowId, ShowQuery,
};

fn ids<const N: usize>(ids: [u32; N]) -> [ShowId; N] {
    ids.map(ShowId)
}

fn episodes_of(show: u32) -> Vec<Episode> {
    vec![episode(show, 2, "2026-11-24"), episode(show, 1, "2026-11-23")]
}

/// Publishes the shows 1, 2 and 3, the first two with details, and the first as top show.
async fn publish_details(store: &impl Store) -> RunStatus {
    let status = running();
    let session = begin(store, &status).await;
    session
        .commit(pages(vec![(0, vec![show(1), show(2), show(3)])], at(2)), &status)
        .await
        .expect("stage");
    let cast = vec![cast_member(1, 7, 5), cast_member(1, 7, 4)];
    session
        .commit(details_of(&show(1), cast, Some(episodes_of(1)), at(3)), &status)
        .await
        .expect("details");
    session
        .commit(details_of(&show(2), vec![], Some(vec![]), at(4)), &status)
        .await
        .expect("details");
    assert_eq!(store.episodes(ShowId(1)).await.expect("episodes"), None, "before the publish");
    assert_eq!(store.cast(ShowId(1)).await.expect("cast"), None, "before the publish");
    session.publish(&ids([1]), &ids([1, 2]), at(5), success(&status)).await.expect("publish")
}

pub async fn details_are_seen_with_the_snapshot(store: &impl Store) {
    publish_details(store).await;
    assert_eq!(store.episodes(ShowId(1)).await.expect("episodes"), Some(episodes_of(1)));
    assert_eq!(store.episodes(ShowId(2)).await.expect("episodes"), Some(vec![]));
    assert_eq!(store.episodes(ShowId(3)).await.expect("episodes"), None);
    let cast = store.cast(ShowId(1)).await.expect("cast").expect("stored");
    let members: Vec<_> = cast.iter().map(|row| row.member.clone()).collect();
    assert_eq!(members, [cast_member(1, 7, 5), cast_member(1, 7, 4)]);
    assert_eq!((cast[1].position, cast[1].processed_at), (1, at(3)));
    assert_eq!(store.cast(ShowId(2)).await.expect("cast"), Some(vec![]));
    assert_eq!(store.cast(ShowId(3)).await.expect("cast"), None);
    let tables = store.stats().await.expect("stats").tables;
    assert_eq!((tables.top_shows_cast, tables.show_cast, tables.episodes), (2, 2, 2));
    let manifest = store.manifest().await.expect("manifest");
    let version = DetailsVersion { updated: show(1).updated, has_episodes: true };
    assert_eq!(
        manifest.details.into_iter().collect::<Vec<_>>(),
        ids([1, 2]).map(|id| (id, version))
    );
}

pub async fn episodes_are_found_by_their_keys(store: &impl Store) {
    publish_details(store).await;
    let [second, first] = [0, 1].map(|position| episodes_of(1).remove(position));
    let (show, season, number) = (ShowId(1), 1, 2);
    let airdate = date(2026, 11, 23);
    let both = Some(episodes_of(1));
    for (key, expected) in [
        (EpisodeKey::Id(1001), Some(vec![first.clone()])),
        (EpisodeKey::Id(1), None),
        (EpisodeKey::Number { show, season, number }, Some(vec![second])),
        (EpisodeKey::Number { show, season: 2, number }, Some(vec![])),
        (EpisodeKey::Number { show: ShowId(3), season, number }, None),
        (EpisodeKey::Season { show, season }, both),
        (EpisodeKey::Season { show, season: -1 }, Some(vec![])),
        (EpisodeKey::Season { show: ShowId(2), season }, Some(vec![])),
        (EpisodeKey::Season { show: ShowId(9), season }, None),
        (EpisodeKey::Day { show, airdate }, Some(vec![first])),
        (EpisodeKey::Day { show, airdate: Date::MAX }, Some(vec![])),
    ] {
        assert_eq!(store.find_episodes(key).await.expect("episodes"), expected, "{key:?}");
    }
}

pub async fn an_episode_of_two_shows_is_that_of_the_first(store: &impl Store) {
    let status = running();
    let session = begin(store, &status).await;
    let staged = pages(vec![(0, vec![show(1), show(2)])], at(2));
    session.commit(staged, &status).await.expect("stage");
    let moved = Episode { id: 1002, ..episode(2, 1, "2026-11-23") };
    for (of, episodes) in [(show(2), vec![moved.clone()]), (show(1), episodes_of(1))] {
        let details = details_of(&of, vec![], Some(episodes), at(3));
        session.commit(details, &status).await.expect("details");
    }
    session.publish(&[], &ids([1, 2]), at(4), success(&status)).await.expect("publish");
    let found = async |id| store.find_episodes(EpisodeKey::Id(id)).await.expect("episode");
    assert_eq!(found(1002).await, Some(vec![episodes_of(1).remove(0)]));
    assert_eq!(store.episodes(ShowId(2)).await.expect("episodes"), Some(vec![moved.clone()]));

    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("start");
    session.publish(&[], &ids([2]), at(6), success(&status)).await.expect("publish");
    assert_eq!(found(1002).await, Some(vec![moved]), "the first show is no longer chosen");
    assert_eq!(found(1001).await, None);
}

pub async fn details_stay_until_others_are_staged_or_the_show_is_not_chosen(store: &impl Store) {
    publish_details(store).await;
    let changed = Show { updated: Some(1_800_000_000), ..show(2) };
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("start");
    session.commit(shows(vec![changed.clone()], at(12)), &status).await.expect("stage");
    let next = vec![episode(2, 9, "2026-12-01")];
    for episodes in [vec![], next.clone()] {
        let cast = vec![cast_member(2, 1, 1)];
        session
            .commit(details_of(&changed, cast, Some(episodes), at(13)), &status)
            .await
            .expect("details");
    }
    session.publish(&ids([1]), &ids([1, 2]), at(14), success(&status)).await.expect("publish");
    assert_eq!(store.episodes(ShowId(1)).await.expect("episodes"), Some(episodes_of(1)));
    assert_eq!(store.episodes(ShowId(2)).await.expect("episodes"), Some(next));
    assert_eq!(store.cast(ShowId(2)).await.expect("cast").map(|cast| cast.len()), Some(1));
    let version = store.manifest().await.expect("manifest").details[&ShowId(2)];
    assert_eq!(version.updated, changed.updated);

    // The first show is no longer chosen, but still a top show.
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("start");
    session.publish(&ids([1]), &ids([2]), at(16), success(&status)).await.expect("publish");
    assert_eq!(store.episodes(ShowId(1)).await.expect("episodes"), None);
    assert_eq!(store.cast(ShowId(1)).await.expect("cast").map(|cast| cast.len()), Some(2));
    assert!(!store.manifest().await.expect("manifest").details[&ShowId(1)].has_episodes);

    // The second show is deleted, and the first is neither chosen nor a top show.
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("start");
    session.commit(deletions(&[2]), &status).await.expect("delete");
    session.publish(&[], &[], at(18), success(&status)).await.expect("publish");
    for show in ids([1, 2]) {
        assert_eq!(store.episodes(show).await.expect("episodes"), None);
        assert_eq!(store.cast(show).await.expect("cast"), None);
    }
    assert!(store.manifest().await.expect("manifest").details.is_empty());
    assert_eq!(store.stats().await.expect("stats").tables.show_cast, 0);
}

pub async fn staged_details_survive_an_interruption(store: &impl Store) {
    publish_details(store).await;
    let status = running();
    let session = begin(store, &status).await;
    session
        .commit(pages(vec![(0, vec![show(1), show(2), show(3)])], at(12)), &status)
        .await
        .expect("stage");
    session
        .commit(details_of(&show(3), vec![], Some(episodes_of(3)), at(13)), &status)
        .await
        .expect("details");
    session.commit(cast_of(&show(2), vec![], at(13)), &status).await.expect("cast");
    let interrupted = after(&status, RunEvent::Interrupted("stopped".into()));
    store.save_status(&interrupted).await.expect("save");
    let resumed = after(&interrupted, RunEvent::Started);
    let session = begin(store, &resumed).await;
    let staged = session.staging().await.expect("staged").snapshot.details;
    let version = |has_episodes| DetailsVersion { updated: show(1).updated, has_episodes };
    let expected = [(ShowId(2), version(false)), (ShowId(3), version(true))];
    assert_eq!(staged.into_iter().collect::<Vec<_>>(), expected, "and not the published ones");
    session.publish(&ids([2]), &ids([3]), at(20), success(&resumed)).await.expect("publish");
    assert_eq!(store.episodes(ShowId(3)).await.expect("episodes"), Some(episodes_of(3)));
    assert_eq!(store.episodes(ShowId(1)).await.expect("episodes"), None);
}

pub async fn unchanged_details_keep_the_snapshot(store: &impl Store) {
    publish_details(store).await;
    let first = store.snapshot_version().await.expect("snapshot");
    let cast = || vec![cast_member(1, 7, 5), cast_member(1, 7, 4)];
    let mut moved = episodes_of(1);
    moved[0].airstamp = Some("2026-11-24T22:00:00+00:00".into());
    let mut other_extra = episodes_of(1);
    other_extra[1].extra.clear();
    let swapped: Vec<_> = episodes_of(1).into_iter().rev().collect();
    let fetched = [(episodes_of(1), 0), (moved, 1), (other_extra, 2), (swapped, 3), (vec![], 4)];
    for (episodes, changes) in fetched {
        let status = running();
        let session = begin(store, &status).await;
        session.start_incremental().await.expect("start");
        session
            .commit(details_of(&show(1), cast(), Some(episodes), at(13)), &status)
            .await
            .expect("details");
        let done = session
            .publish(&ids([1]), &ids([1, 2]), at(14), success(&status))
            .await
            .expect("publish");
        assert_eq!(done.changes, ChangeCounts { unchanged: 3, ..ChangeCounts::default() });
        let version = store.snapshot_version().await.expect("snapshot");
        assert_eq!(version.number, first.number + changes);
        if changes == 0 {
            let cast = store.cast(ShowId(1)).await.expect("cast").expect("stored");
            assert_eq!(cast[0].processed_at, at(3), "the row was not written again");
        }
    }
}

pub async fn a_filter_chooses_from_the_next_snapshot(store: &impl Store) {
    let rated = |id: u32, rating| Show {
        rating_average: Some(rating),
        updated: Some(id.into()),
        ..show(id)
    };
    publish(store, vec![rated(1, 9.0), rated(2, 9.0), rated(3, 9.0), rated(4, 3.0)], &[]).await;
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("start");
    let batch = pages(vec![(7, vec![rated(2, 2.0), rated(5, 8.0), rated(6, 2.0)])], at(12));
    session.commit(batch, &status).await.expect("stage");
    session.commit(deletions(&[3]), &status).await.expect("delete");
    let matching = async |filters: &[(&str, &str)]| {
        let mut filter = ShowFilter::default();
        for (parameter, value) in filters {
            filter.set(parameter, value).expect("a filter");
        }
        let matching = session.matching_shows(filter).await.expect("matching");
        assert!(matching.iter().all(|(id, updated)| *updated == Some(i64::from(id.0))));
        matching.into_keys().map(|id| id.0).collect::<Vec<_>>()
    };
    assert_eq!(matching(&[("min_rating", "7")]).await, [1, 5]);
    assert_eq!(matching(&[("min_rating", "7"), ("language", "english")]).await, [1, 5]);
    assert_eq!(matching(&[("genre", "Comedy")]).await, [0_u32; 0]);
    assert_eq!(matching(&[("id", "6,3,4,1,99")]).await, [1, 4, 6]);
    assert_eq!(matching(&[("q", "show two")]).await, [1, 2, 4, 5, 6]);
    assert_eq!(matching(&[("premiered_to", "2019")]).await, [0_u32; 0]);
    assert_eq!(
        matching(&[("network", "netflix"), ("max_rating", "3"), ("status", "Ended")]).await,
        [2, 4, 6]
    );
}

pub async fn a_facet_that_is_no_text_is_missing(store: &impl Store) {
    let json = |value| Some(RawJson::from_value(&value).expect("JSON"));
    let with_facets = |id, name: Value, days: Value| Show {
        network: json(json!({"name": name, "country": {"name": name, "code": name}})),
        web_channel: None,
        schedule: json(json!({"days": days})),
        ..show(id)
    };
    let odd = |first: u32| {
        let names = [json!(5), json!(true), json!({"a": "b"}), json!(["a"])];
        let days = [json!(1), json!("[\"Monday\"]"), json!({"Monday": 1}), json!([1, "Tuesday"])];
        let shows = (first..).zip(names).zip(days);
        shows.map(|((id, name), days)| with_facets(id, name, days)).collect::<Vec<_>>()
    };
    let has_channel = |id| Show { web_channel: show(1).web_channel, ..odd(id).remove(0) };
    let mut published = odd(1);
    published.push(has_channel(5));
    publish(store, published, &[]).await;
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("start");
    let mut staged = odd(6);
    staged.push(has_channel(10));
    session.commit(pages(vec![(7, staged)], at(12)), &status).await.expect("stage");
    let filters: [(&str, &str, &[u32]); 12] = [
        ("network", "-", &[1, 2, 3, 4]),
        ("network", "netflix", &[5]),
        ("network", "5", &[]),
        ("network", "1", &[]),
        ("network", "{\"a\":\"b\"}", &[]),
        ("network", "[\"a\"]", &[]),
        ("country", "-", &[1, 2, 3, 4, 5]),
        ("country", "5", &[]),
        ("day", "-", &[1, 2, 3, 5]),
        ("day", "monday", &[]),
        ("day", "1", &[]),
        ("day", "tuesday", &[4]),
    ];
    for (parameter, value, expected) in filters {
        let mut filter = ShowFilter::default();
        filter.set(parameter, value).expect("a filter");
        let query = ShowQuery { filter: filter.clone(), limit: 100, ..ShowQuery::default() };
        let page = store.shows(query).await.expect("shows");
        let mut found: Vec<u32> = page.shows.iter().map(|show| show.id.0).collect();
        found.sort_unstable();
        assert_eq!(found, expected, "{parameter}={value}");
        let matching = session.matching_shows(filter).await.expect("matching");
        let found: Vec<u32> = matching.into_keys().map(|id| id.0).collect();
        let staged = expected.iter().map(|id| id + 5);
        let expected: Vec<u32> = expected.iter().copied().chain(staged).collect();
        assert_eq!(found, expected, "{parameter}={value}");
    }
}

pub async fn a_schedule_has_the_episodes_of_its_days_and_shows(store: &impl Store) {
    let mut late = episode(1, 1, "2026-11-24");
    late.airstamp = Some("2026-11-25T01:00:00+00:00".into());
    let mut unknown = episode(1, 2, "2026-11-24");
    unknown.airstamp = None;
    let mut zoned = episode(2, 1, "2026-11-24");
    zoned.airstamp = Some("2026-11-24T21:00:00+02:00".into());
    let undated = Episode { airdate: None, airstamp: None, ..episode(2, 2, "2026-11-24") };
    let first = vec![episode(1, 0, "2026-11-23"), late, unknown, episode(1, 3, "2026-11-26")];
    let second = vec![zoned, undated, episode(2, 3, "2026-11-25")];
    let status = running();
    let session = begin(store, &status).await;
    let german = Show { language: Some("German".into()), ..show(2) };
    session.commit(pages(vec![(0, vec![show(1), german])], at(2)), &status).await.expect("stage");
    for (id, episodes) in [(1, first), (2, second)] {
        session
            .commit(details_of(&show(id), vec![], Some(episodes), at(3)), &status)
            .await
            .expect("details");
    }
    session.publish(&[], &ids([1, 2]), at(5), success(&status)).await.expect("publish");

    let schedule = async |first: &str, last: &str, filter: ShowFilter| {
        let (first, last) = (first.parse().expect("a date"), last.parse().expect("a date"));
        let schedule =
            store.schedule(ScheduleQuery { filter, first, last }).await.expect("schedule");
        let episodes: Vec<_> = schedule.episodes.iter().map(|episode| episode.id).collect();
        (episodes, schedule.shows.into_keys().map(|id| id.0).collect::<Vec<_>>())
    };
    let all = ShowFilter::default();
    let both = (vec![2001, 1001, 1002, 2003], vec![1, 2]);
    assert_eq!(schedule("2026-11-24", "2026-11-25", all.clone()).await, both);
    assert_eq!(schedule("2026-11-23", "2026-11-23", all.clone()).await, (vec![1000], vec![1]));
    assert_eq!(schedule("2026-12-23", "2026-12-24", all.clone()).await, (vec![], vec![]));
    let mut german = all;
    german.set("language", "German").expect("a filter");
    assert_eq!(schedule("2026-11-01", "2026-11-30", german).await, (vec![2001, 2003], vec![2]));
}
