//! The promises of every [`RunSession`](crate::RunSession), including how publishing changes the catalog.

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: this is a test suite")]

use super::Store;
use super::fixtures::{
    WITH_LEASE, WITH_LOCK, after, at, begin, cast_member, cast_of, criteria, deletions, details_of,
    episode, lock, pages, publish, running, show, shows, success,
};
use crate::{
    ChangeCounts, DetailsVersion, FetchMode, MultiCharacterActor, PublishedManifest, RunEvent,
    RunId, RunSession, RunState, RunStatus, Show, ShowId, ShowVersion, StagingState, StoreError,
};

async fn top_ids(store: &impl Store) -> Vec<u32> {
    store.top_shows(1000).await.expect("top").iter().map(|show| show.id.0).collect()
}

pub async fn an_empty_store_answers_with_nothing(store: &impl Store) {
    store.health().await.expect("check");
    assert_eq!(store.show(ShowId(1).into()).await.expect("show"), None);
    assert_eq!(store.manifest().await.expect("published"), PublishedManifest::default());
    assert!(store.last_changes().await.expect("changes").is_empty());
    assert!(store.top_shows(10).await.expect("top").is_empty());
    assert!(store.multi_character_actors().await.expect("actors").is_empty());
    assert!(store.list(10).await.expect("runs").is_empty());
    assert_eq!(store.get(RunId::random()).await.expect("run"), None);
}

pub async fn nothing_is_seen_before_publish(store: &impl Store) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await.expect("stage");
    session
        .commit(cast_of(&show(1), vec![cast_member(1, 1, 1)], at(2)), &status)
        .await
        .expect("cast");
    assert_eq!(store.show(ShowId(1).into()).await.expect("show"), None);
    assert!(store.top_shows(10).await.expect("top").is_empty());
    assert_eq!(store.get(status.request_id).await.expect("run"), Some(status.clone()));
    let done = session.publish(&[ShowId(1)], &[], at(3), success(&status)).await.expect("publish");
    let added = ChangeCounts { added: 1, ..ChangeCounts::default() };
    assert_eq!(done, after(&status, RunEvent::Succeeded(added)));
    assert_eq!(store.show(ShowId(1).into()).await.expect("show"), Some(show(1)));
    assert_eq!(store.get(status.request_id).await.expect("run"), Some(done));
}

pub async fn a_published_show_is_the_one_that_was_staged(store: &impl Store) {
    let mut bare = show(2);
    bare.genres.clear();
    bare.extra.clear();
    for text in [&mut bare.language, &mut bare.premiered, &mut bare.summary, &mut bare.url] {
        *text = None;
    }
    (bare.rating_average, bare.weight, bare.updated, bare.runtime) = (None, None, None, None);
    (bare.schedule, bare.externals, bare.links) = (None, None, None);
    let mut decimal = show(3);
    decimal.rating_average = Some(8.7);
    publish(store, vec![show(1), bare.clone(), decimal.clone()], &[]).await;
    assert_eq!(store.show(ShowId(1).into()).await.expect("show"), Some(show(1)));
    assert_eq!(store.show(ShowId(2).into()).await.expect("show"), Some(bare));
    assert_eq!(store.show(ShowId(3).into()).await.expect("show"), Some(decimal));
}

pub async fn publish_replaces_what_was_there(store: &impl Store) {
    publish(store, vec![show(1), show(2)], &[2, 1]).await;
    assert_eq!(top_ids(store).await, [2, 1], "in the order of the ranking");
    publish(store, vec![show(2), show(3)], &[3]).await;
    assert_eq!(store.show(ShowId(1).into()).await.expect("show"), None);
    assert!(store.show(ShowId(3).into()).await.expect("show").is_some());
    assert_eq!(top_ids(store).await, [3]);
}

pub async fn what_is_kept_stays_beside_what_is_staged_and_without_what_is_dropped(
    store: &impl Store,
) {
    publish(store, (1..=5).map(show).collect(), &[1, 2, 3]).await;
    let mut changed = show(2);
    changed.name = "Changed".into();
    changed.updated = Some(99);
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("keep");
    session
        .commit(pages(vec![(7, vec![changed.clone(), show(3), show(6)])], at(12)), &status)
        .await
        .expect("stage");
    session.commit(deletions(&[4, 400]), &status).await.expect("drop");
    session.commit(cast_of(&show(2), vec![], at(12)), &status).await.expect("cast");
    assert_eq!(session.staged_show_count().await.expect("size"), 5);
    assert_eq!(session.rank_staged(criteria(10)).await.expect("rank").len(), 5);

    let top = [ShowId(6), ShowId(1), ShowId(2)];
    let done = session.publish(&top, &[], at(14), success(&status)).await.expect("publish");
    let expected = ChangeCounts { added: 1, changed: 1, deleted: 1, unchanged: 3 };
    assert_eq!(done.changes, expected);
    assert_eq!(store.show(ShowId(1).into()).await.expect("show"), Some(show(1)), "kept");
    assert_eq!(store.show(ShowId(2).into()).await.expect("show"), Some(changed));
    assert_eq!(store.show(ShowId(4).into()).await.expect("show"), None);
    assert_eq!(top_ids(store).await, [6, 1, 2]);

    let published = store.manifest().await.expect("published");
    let fetched: Vec<_> = published.shows.values().map(|version| version.fetched_at()).collect();
    assert_eq!(fetched, [at(2), at(12), at(12), at(2), at(12)]);
    assert_eq!(published.shows[&ShowId(2)], ShowVersion::new(Some(99), at(12)));
    assert_eq!(published.pages.into_iter().collect::<Vec<_>>(), [(0, at(2)), (7, at(12))]);
    let cast_alone = DetailsVersion { updated: show(1).updated, has_episodes: false };
    let details = [(ShowId(1), cast_alone), (ShowId(2), cast_alone)];
    assert_eq!(published.details.into_iter().collect::<Vec<_>>(), details);
}

pub async fn a_top_show_keeps_its_cast_until_another_is_staged(store: &impl Store) {
    let cast = |show| vec![cast_member(show, 1, 1), cast_member(show, 1, 2)];
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1), show(2)])], at(2)), &status).await.expect("stage");
    for id in [1, 2] {
        session.commit(cast_of(&show(id), cast(id), at(3)), &status).await.expect("cast");
    }
    let top = [ShowId(1), ShowId(2)];
    session.publish(&top, &[], at(4), success(&status)).await.expect("publish");

    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("keep");
    session
        .commit(cast_of(&show(2), vec![cast_member(2, 9, 5)], at(5)), &status)
        .await
        .expect("cast");
    session.publish(&top, &[], at(6), success(&status)).await.expect("publish");
    let actors = store.multi_character_actors().await.expect("actors");
    assert_eq!(actors.len(), 1, "person 1 in the kept cast of show 1");
    assert_eq!(actors[0].character_count, 2);
}

pub async fn an_abandoned_run_changes_nothing_but_the_history(store: &impl Store) {
    publish(store, vec![show(1)], &[1]).await;
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(2)])], at(2)), &status).await.expect("stage");
    let failed = after(&status, RunEvent::Failed("page 1: 500".into()));
    store.finish_unpublished(&failed).await.expect("abandon");
    assert_eq!(store.show(ShowId(1).into()).await.expect("show"), Some(show(1)));
    assert_eq!(store.show(ShowId(2).into()).await.expect("show"), None);
    assert_eq!(top_ids(store).await, [1]);
    assert_eq!(store.get(status.request_id).await.expect("run"), Some(failed));
}

pub async fn the_later_update_of_a_show_stays(store: &impl Store) {
    let (mut new, mut old) = (show(1), show(1));
    (new.updated, old.updated) = (Some(20), Some(10));
    new.name = "New".into();
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![new.clone()])], at(2)), &status).await.expect("stage");
    session.commit(pages(vec![(1, vec![old])], at(3)), &status).await.expect("stage");
    assert_eq!(session.staged_show_count().await.expect("count"), 1);
    let ranked = session.rank_staged(criteria(10)).await.expect("rank");
    assert_eq!(ranked, [new]);
}

pub async fn a_show_fetched_by_itself_replaces_the_staged_one(store: &impl Store) {
    let mut alone = show(1);
    (alone.updated, alone.name) = (Some(1), "Alone".into());
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await.expect("stage");
    session.commit(shows(vec![alone.clone()], at(3)), &status).await.expect("stage");
    assert_eq!(session.rank_staged(criteria(10)).await.expect("rank"), [alone]);
}

/// Ratings change without a new `updated`, and what a failed run staged can be days old.
pub async fn a_later_page_replaces_an_equally_new_version(store: &impl Store) {
    let rated = Show { rating_average: Some(9.9), ..show(1) };
    let status = running();
    let session = begin(store, &status).await;
    session.commit(shows(vec![show(1)], at(2)), &status).await.expect("stage");
    session.commit(pages(vec![(0, vec![rated.clone()])], at(3)), &status).await.expect("stage");
    assert_eq!(session.rank_staged(criteria(10)).await.expect("rank"), [rated]);
}

pub async fn a_dropped_show_is_not_published(store: &impl Store) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1), show(2)])], at(2)), &status).await.expect("stage");
    session.commit(deletions(&[1]), &status).await.expect("drop");
    session.publish(&[], &[], at(4), success(&status)).await.expect("publish");
    assert_eq!(store.show(ShowId(1).into()).await.expect("show"), None);
    assert!(store.show(ShowId(2).into()).await.expect("show").is_some());
}

pub async fn ranks_the_snapshot(store: &impl Store) {
    let (mut best, mut foreign, mut comedy) = (show(1), show(2), show(3));
    best.rating_average = Some(9.9);
    foreign.language = Some("French".into());
    comedy.genres = vec!["Action Comedy".into()];
    let mut unrated = show(4);
    unrated.rating_average = None;
    let status = running();
    let session = begin(store, &status).await;
    let page = vec![unrated, foreign, comedy, show(5), best];
    session.commit(pages(vec![(0, page)], at(2)), &status).await.expect("stage");
    let ranked = session.rank_staged(criteria(2)).await.expect("rank");
    assert_eq!(ranked.iter().map(|show| show.id.0).collect::<Vec<_>>(), [1, 5]);
}

pub async fn ranks_what_is_kept_with_what_is_staged(store: &impl Store) {
    let rated = |id: u32, rating: Option<f64>, weight: i64| Show {
        rating_average: rating,
        weight: Some(weight),
        ..show(id)
    };
    let mut comedy = rated(2, Some(9.9), 1);
    comedy.genres = vec!["Action Comedy".into()];
    let mut undated = rated(3, Some(9.8), 1);
    undated.premiered = Some("soon".into());
    let published = vec![
        rated(1, None, 100),
        comedy,
        undated,
        rated(4, Some(7.0), 50),
        rated(5, Some(7.0), 60),
        rated(6, Some(7.0), 60),
        rated(7, Some(9.0), 1),
        rated(8, Some(9.5), 1),
        Show { weight: None, ..rated(9, None, 1) },
    ];
    publish(store, published, &[]).await;
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("keep");
    session.commit(deletions(&[7]), &status).await.expect("drop");
    let staged = vec![rated(8, Some(1.0), 1), rated(10, Some(7.0), 55)];
    session.commit(shows(staged, at(5)), &status).await.expect("stage");
    for (top, expected) in
        [(3, &[5, 6, 10][..]), (5, &[5, 6, 10, 4, 8]), (10, &[5, 6, 10, 4, 8, 1, 9])]
    {
        let ranked = session.rank_staged(criteria(top)).await.expect("rank");
        assert_eq!(ranked.iter().map(|show| show.id.0).collect::<Vec<_>>(), expected);
    }
}

pub async fn casts_keep_their_order_and_count_characters_by_person(store: &impl Store) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1), show(2)])], at(2)), &status).await.expect("stage");
    let mut namesake = cast_member(1, 8, 81);
    namesake.person_name = "Person 7".into();
    let first = vec![
        cast_member(1, 7, 71),
        cast_member(1, 7, 72),
        namesake,
        cast_member(1, 9, 91),
        cast_member(1, 9, 91),
    ];
    let second = vec![cast_member(2, 7, 73), cast_member(2, 6, 61), cast_member(2, 6, 62)];
    session.commit(cast_of(&show(1), first, at(3)), &status).await.expect("cast");
    session.commit(cast_of(&show(2), second, at(3)), &status).await.expect("cast");
    let top = [ShowId(2), ShowId(1)];
    session.publish(&top, &[], at(4), success(&status)).await.expect("publish");
    let actor = |person_name: &str, character_count| MultiCharacterActor {
        person_name: person_name.into(),
        character_count,
    };
    let actors = store.multi_character_actors().await.expect("actors");
    assert_eq!(actors, [actor("Person 7", 3), actor("Person 6", 2)]);
}

pub async fn a_new_run_starts_from_an_empty_staging_area(store: &impl Store) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &status).await.expect("stage");
    store
        .save_status(&after(&status, RunEvent::Interrupted("stopped".into())))
        .await
        .expect("note");
    let session = begin(store, &running()).await;
    assert_eq!(session.staged_show_count().await.expect("count"), 0);
    assert_eq!(session.staging().await.expect("staged"), StagingState::default());
}

/// Stages a page with two shows, with the details of the first and the cast of the second, and ends the run.
async fn end_with_details(store: &impl Store, end: RunEvent) {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, vec![show(1), show(2)])], at(2)), &status).await.expect("stage");
    let episodes = vec![episode(1, 1, "2026-11-23")];
    let details = details_of(&show(1), vec![cast_member(1, 1, 1)], Some(episodes), at(3));
    session.commit(details, &status).await.expect("details");
    session.commit(cast_of(&show(2), vec![], at(3)), &status).await.expect("cast");
    let ended = after(&status, end);
    for _ in 0..2 {
        store.finish_unpublished(&ended).await.expect("end");
    }
    let late = session.commit(pages(vec![(1, vec![])], at(9)), &status).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
}

fn failed() -> RunEvent {
    RunEvent::Failed("show 3: 500".into())
}

pub async fn a_run_reuses_the_details_that_a_failed_one_staged(store: &impl Store) {
    end_with_details(store, failed()).await;
    // The second run fails before it stages anything, and the third is interrupted.
    let second = running();
    begin(store, &second).await;
    store.finish_unpublished(&after(&second, failed())).await.expect("end");
    let third = running();
    begin(store, &third).await;
    let interrupted = after(&third, RunEvent::Interrupted("stopped".into()));
    store.save_status(&interrupted).await.expect("note");
    let status = after(&interrupted, RunEvent::Started);
    let session = begin(store, &status).await;
    let version = |has_episodes| DetailsVersion { updated: show(1).updated, has_episodes };
    let details = [(ShowId(1), version(true)), (ShowId(2), version(false))];
    let snapshot = PublishedManifest { details: details.into(), ..PublishedManifest::default() };
    let expected = StagingState { snapshot, ..StagingState::default() };
    assert_eq!(session.staging().await.expect("staged"), expected);
    assert_eq!(session.staged_show_count().await.expect("count"), 0);

    session.commit(pages(vec![(0, vec![show(1), show(2)])], at(12)), &status).await.expect("stage");
    session.publish(&[ShowId(2)], &[ShowId(1)], at(14), success(&status)).await.expect("publish");
    let episodes = store.episodes(ShowId(1)).await.expect("episodes").expect("stored");
    assert_eq!(episodes, [episode(1, 1, "2026-11-23")]);
    let cast = store.cast(ShowId(1)).await.expect("cast").expect("stored");
    assert_eq!(cast[0].processed_at, at(3));
    assert_eq!(store.cast(ShowId(2)).await.expect("cast"), Some(vec![]));
    let session = begin(store, &running()).await;
    assert_eq!(session.staging().await.expect("staged"), StagingState::default());
}

pub async fn a_run_reuses_the_shows_that_a_failed_incremental_one_staged(store: &impl Store) {
    publish(store, vec![show(1), show(2), show(3), show(4)], &[]).await;
    let changed = |id| Show { updated: Some(1_800_000_000), ..show(id) };
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("start");
    session.commit(deletions(&[3]), &status).await.expect("delete");
    session.commit(pages(vec![(7, vec![changed(1)])], at(12)), &status).await.expect("stage");
    session.commit(shows(vec![changed(2), show(4)], at(13)), &status).await.expect("stage");
    let details = details_of(&changed(2), vec![], Some(vec![]), at(13));
    session.commit(details, &status).await.expect("details");
    store.finish_unpublished(&after(&status, failed())).await.expect("end");
    assert_eq!(store.show(ShowId(2).into()).await.expect("show"), Some(show(2)));

    let status = running();
    let session = begin(store, &status).await;
    let staged = session.staging().await.expect("staged");
    assert!(staged.is_incremental && staged.pages.is_empty(), "{staged:?}");
    let snapshot = staged.snapshot;
    assert_eq!(snapshot.pages.into_iter().collect::<Vec<_>>(), [(0, at(2))]);
    let versions: Vec<_> = snapshot.shows.iter().map(|(id, version)| (id.0, *version)).collect();
    let expected = [(1, changed(1), 12), (2, changed(2), 13), (3, show(3), 2), (4, show(4), 13)];
    let expected =
        expected.map(|(id, show, second)| (id, ShowVersion::new(show.updated, at(second))));
    assert_eq!(versions, expected);
    assert_eq!(snapshot.details.into_keys().collect::<Vec<_>>(), [ShowId(2)]);
    let done = session.publish(&[], &[ShowId(2)], at(20), success(&status)).await.expect("publish");
    assert_eq!(done.changes, ChangeCounts { changed: 2, unchanged: 2, ..ChangeCounts::default() });
    assert_eq!(store.show(ShowId(2).into()).await.expect("show"), Some(changed(2)));
    assert_eq!(store.episodes(ShowId(2)).await.expect("episodes"), Some(vec![]));
}

pub async fn what_a_canceled_run_staged_is_not_reused(store: &impl Store) {
    end_with_details(store, failed()).await;
    let status = running();
    begin(store, &status).await;
    store.finish_unpublished(&after(&status, RunEvent::Cancelled)).await.expect("end");
    let session = begin(store, &running()).await;
    assert_eq!(session.staging().await.expect("staged"), StagingState::default());
}

pub async fn a_full_run_reuses_nothing(store: &impl Store) {
    end_with_details(store, failed()).await;
    let full = RunStatus { mode: FetchMode::Full, ..running() };
    let session = begin(store, &full).await;
    assert_eq!(session.staging().await.expect("staged"), StagingState::default());
    // What it stages itself is used after an interruption.
    let details = cast_of(&show(2), vec![], at(3));
    session.commit(details, &full).await.expect("cast");
    let interrupted = after(&full, RunEvent::Interrupted("stopped".into()));
    store.save_status(&interrupted).await.expect("note");
    let session = begin(store, &after(&interrupted, RunEvent::Started)).await;
    let staged = session.staging().await.expect("staged").snapshot.details;
    assert_eq!(staged.into_keys().collect::<Vec<_>>(), [ShowId(2)]);
}

pub async fn an_interrupted_run_resumes_with_what_it_staged(store: &impl Store) {
    publish(store, vec![show(1), show(2), show(3)], &[1, 2]).await;
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("keep");
    let mut changed = show(2);
    changed.updated = Some(99);
    session.commit(pages(vec![(7, vec![changed.clone()])], at(12)), &status).await.expect("stage");
    session.commit(deletions(&[3]), &status).await.expect("drop");
    session.commit(cast_of(&changed, vec![], at(13)), &status).await.expect("cast");
    let interrupted = after(&status, RunEvent::Interrupted("stopped".into()));
    store.save_status(&interrupted).await.expect("note");
    let next = store.next(&[]).await.expect("next").expect("an unfinished run");
    assert_eq!((next.status, next.ownership), (interrupted.clone(), WITH_LOCK));

    let resumed = after(&interrupted, RunEvent::Started);
    let session = begin(store, &resumed).await;
    let staged = session.staging().await.expect("staged");
    assert!(staged.is_incremental);
    assert_eq!(staged.pages.into_iter().collect::<Vec<_>>(), [(7, at(12))]);
    let snapshot = staged.snapshot;
    assert_eq!(snapshot.pages.into_iter().collect::<Vec<_>>(), [(0, at(2)), (7, at(12))]);
    let versions: Vec<_> =
        snapshot.shows.iter().map(|(id, version)| (id.0, version.updated())).collect();
    assert_eq!(versions, [(1, show(1).updated), (2, Some(99))]);
    let cast_alone = |updated| DetailsVersion { updated, has_episodes: false };
    let details = [(ShowId(1), cast_alone(show(1).updated)), (ShowId(2), cast_alone(Some(99)))];
    assert_eq!(snapshot.details.into_iter().collect::<Vec<_>>(), details);
    session.publish(&[ShowId(2)], &[], at(20), success(&resumed)).await.expect("publish");
    assert_eq!(store.show(ShowId(2).into()).await.expect("show"), Some(changed));
    assert_eq!(store.show(ShowId(3).into()).await.expect("show"), None);
    assert_eq!(store.next(&[]).await.expect("next"), None);
}

pub async fn staged_data_can_be_discarded(store: &impl Store) {
    publish(store, vec![show(1)], &[1]).await;
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.expect("keep");
    session.commit(pages(vec![(7, vec![show(2)])], at(12)), &status).await.expect("stage");
    session.discard_staging().await.expect("unstage");
    assert_eq!(session.staging().await.expect("staged"), StagingState::default());
    session
        .commit(pages(vec![(0, vec![show(3)])], at(13)), &status)
        .await
        .expect("it is still the run's");
}

pub async fn what_is_staged_is_noted_with_the_status(store: &impl Store) {
    let status = running();
    let session = begin(store, &status).await;
    let reached = after(&status, RunEvent::PagesStaged { pages: 1, shows: 1 });
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &reached).await.expect("stage");
    assert_eq!(store.get(status.request_id).await.expect("run"), Some(reached));
}

pub async fn attempts_are_counted_until_one_stages_something_or_stops(store: &impl Store) {
    let stalled = async || {
        let next = store.next(&[]).await.expect("next").expect("an unfinished run");
        next.stalled_attempts
    };
    let mut status = running();
    let mut session = begin(store, &status).await;
    assert_eq!(stalled().await, 1, "counted before it has done anything");
    for attempts in 2..4 {
        status = after(&after(&status, RunEvent::Interrupted("died".into())), RunEvent::Started);
        session = begin(store, &status).await;
        assert_eq!(stalled().await, attempts);
    }
    session.commit(None, &status).await.expect("a status alone");
    assert_eq!(stalled().await, 3);
    session.commit(pages(vec![(0, vec![])], at(2)), &status).await.expect("stage");
    assert_eq!(stalled().await, 0);
    status = after(&after(&status, RunEvent::Interrupted("died".into())), RunEvent::Started);
    session = begin(store, &status).await;
    assert_eq!(stalled().await, 1);
    session.record_stop().await.expect("stop");
    assert_eq!(stalled().await, 0);
}

pub async fn an_earlier_attempt_and_an_ended_run_write_nothing(store: &impl Store) {
    let first = running();
    lock(store).await;
    let session = store.begin(&first, WITH_LEASE).await.expect("begin");
    session.commit(pages(vec![(0, vec![show(1)])], at(2)), &first).await.expect("stage");
    let second = after(&after(&first, RunEvent::Interrupted("paused".into())), RunEvent::Started);
    let resumed = begin(store, &second).await;
    let next = store.next(&[]).await.expect("next").expect("an unfinished run");
    assert_eq!(next.ownership, WITH_LOCK, "the second attempt has no lease");

    assert_fenced(store.begin(&first, WITH_LOCK).await);
    store.save_status(&after(&first, RunEvent::Cancelled)).await.expect("note");
    store
        .finish_unpublished(&after(&first, RunEvent::Failed("late".into())))
        .await
        .expect("abandon");
    assert_eq!(store.get(first.request_id).await.expect("run"), Some(second.clone()));
    assert_eq!(resumed.staged_show_count().await.expect("size"), 1, "the second attempt's");
    let late = session.commit(pages(vec![(1, vec![show(2)])], at(9)), &first).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    let late = session.publish(&[], &[], at(9), success(&first)).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");

    let failed = after(&second, RunEvent::Failed("no".into()));
    store.finish_unpublished(&failed).await.expect("abandon");
    let third = after(&after(&second, RunEvent::Interrupted("paused".into())), RunEvent::Started);
    assert_fenced(store.begin(&third, WITH_LOCK).await);
    assert_eq!(store.get(first.request_id).await.expect("run"), Some(failed));
}

/// The response to the first attempt may have been lost.
pub async fn a_repeated_write_changes_nothing_more(store: &impl Store) {
    publish(store, vec![show(1), show(2), show(3)], &[1]).await;
    let status = running();
    let session = begin(store, &status).await;
    for _ in 0..2 {
        session.discard_staging().await.expect("discard");
        session.record_stop().await.expect("stop");
    }
    let changed = Show { name: "Changed".into(), ..show(2) };
    let cast = || vec![cast_member(2, 1, 1), cast_member(2, 2, 2)];
    for _ in 0..2 {
        session.start_incremental().await.expect("start");
        for batch in [
            pages(vec![(0, vec![changed.clone()]), (7, vec![show(4)])], at(12)),
            shows(vec![show(5)], at(12)),
            deletions(&[3]),
            cast_of(&show(2), cast(), at(12)),
            None,
        ] {
            for _ in 0..2 {
                session.commit(batch.clone(), &status).await.expect("commit");
            }
        }
    }
    assert_eq!(session.staged_show_count().await.expect("count"), 4);
    let top = [ShowId(2), ShowId(1)];
    let done = session.publish(&top, &[], at(22), success(&status)).await.expect("publish");
    assert_eq!(done.changes, ChangeCounts { added: 2, changed: 1, deleted: 1, unchanged: 1 });
    let version = store.snapshot_version().await.expect("snapshot");
    assert_eq!(store.cast(ShowId(2)).await.expect("cast").expect("stored").len(), 2);

    let repeated = session.publish(&top, &[], at(23), success(&status)).await;
    // A backend whose commits can go unanswered returns what it has published.
    match repeated {
        Err(StoreError::Fenced) => {}
        repeated => assert_eq!(repeated.expect("published").changes, done.changes),
    }
    assert_eq!(store.snapshot_version().await.expect("snapshot"), version);
    let stored = store.get(status.request_id).await.expect("get").expect("the run");
    assert_eq!((stored.state, stored.attempt), (RunState::Succeeded, done.attempt));
}

fn assert_fenced(begun: Result<Box<dyn RunSession>, StoreError>) {
    assert!(matches!(begun.map(|_| ()), Err(StoreError::Fenced)));
}
