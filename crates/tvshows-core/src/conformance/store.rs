//! What every [`ShowStore`] promises.
#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: this is a test suite")]

use super::fixtures::{
    BY_BOTH, BY_CLAIM, after, at, cast_member, criteria, running, show, success,
};
use crate::{
    ChangeCounts, Enqueued, MultiCharacterActor, PublishedManifest, RunEvent, RunId, RunParameters,
    RunState, RunStatus, Show, ShowId, ShowStore, ShowVersion, StagingState, StoreError, TopLimit,
};

/// A whole run: these shows, those of `top` with a cast of one.
async fn publish(store: &dyn ShowStore, shows: Vec<Show>, top: &[u32]) {
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, shows)], at(2), &status).await.expect("stage");
    for id in top {
        let cast = vec![cast_member(*id, 1, 10 * id)];
        store.stage_cast(&show(*id), cast, at(3), &status).await.expect("cast");
    }
    let top: Vec<ShowId> = top.iter().copied().map(ShowId).collect();
    store.publish(&top, at(4), success(&status)).await.expect("publish");
}

async fn top_ids(store: &dyn ShowStore) -> Vec<u32> {
    store.top_shows(1000).await.expect("top").iter().map(|show| show.id.0).collect()
}

pub async fn an_empty_store_answers_with_nothing(store: &dyn ShowStore) {
    store.check().await.expect("check");
    assert_eq!(store.show(ShowId(1)).await.expect("show"), None);
    assert_eq!(store.published().await.expect("published"), PublishedManifest::default());
    assert!(store.top_shows(10).await.expect("top").is_empty());
    assert!(store.multi_character_actors().await.expect("actors").is_empty());
    assert!(store.runs(10).await.expect("runs").is_empty());
    assert_eq!(store.run(RunId::random()).await.expect("run"), None);
}

pub async fn nothing_is_seen_before_publish(store: &dyn ShowStore) {
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![show(1)])], at(2), &status).await.expect("stage");
    store.stage_cast(&show(1), vec![cast_member(1, 1, 1)], at(2), &status).await.expect("cast");
    assert_eq!(store.show(ShowId(1)).await.expect("show"), None);
    assert!(store.top_shows(10).await.expect("top").is_empty());
    assert_eq!(store.run(status.request_id).await.expect("run"), Some(status.clone()));
    let done = store.publish(&[ShowId(1)], at(3), success(&status)).await.expect("publish");
    let added = ChangeCounts { added: 1, ..ChangeCounts::default() };
    assert_eq!(done, after(&status, RunEvent::Succeeded(added)));
    assert_eq!(store.show(ShowId(1)).await.expect("show"), Some(show(1)));
    assert_eq!(store.run(status.request_id).await.expect("run"), Some(done));
}

pub async fn a_published_show_is_the_one_that_was_staged(store: &dyn ShowStore) {
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
    assert_eq!(store.show(ShowId(1)).await.expect("show"), Some(show(1)));
    assert_eq!(store.show(ShowId(2)).await.expect("show"), Some(bare));
    assert_eq!(store.show(ShowId(3)).await.expect("show"), Some(decimal));
}

pub async fn publish_replaces_what_was_there(store: &dyn ShowStore) {
    publish(store, vec![show(1), show(2)], &[2, 1]).await;
    assert_eq!(top_ids(store).await, [2, 1], "in the order of the ranking");
    publish(store, vec![show(2), show(3)], &[3]).await;
    assert_eq!(store.show(ShowId(1)).await.expect("show"), None);
    assert!(store.show(ShowId(3)).await.expect("show").is_some());
    assert_eq!(top_ids(store).await, [3]);
}

pub async fn what_is_kept_stays_beside_what_is_staged_and_without_what_is_dropped(
    store: &dyn ShowStore,
) {
    publish(store, (1..=5).map(show).collect(), &[1, 2, 3]).await;
    let mut changed = show(2);
    changed.name = "Changed".into();
    changed.updated = Some(99);
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.keep_published().await.expect("keep");
    store
        .stage_pages(vec![(7, vec![changed.clone(), show(3), show(6)])], at(12), &status)
        .await
        .expect("stage");
    store.drop_shows(vec![ShowId(4), ShowId(400)], &status).await.expect("drop");
    store.stage_cast(&show(2), vec![], at(12), &status).await.expect("cast");
    assert_eq!(store.snapshot_size().await.expect("size"), 5);
    assert_eq!(store.rank_snapshot(criteria(10)).await.expect("rank").len(), 5);

    let top = [ShowId(6), ShowId(1), ShowId(2)];
    let done = store.publish(&top, at(14), success(&status)).await.expect("publish");
    assert_eq!((done.added, done.changed, done.deleted, done.unchanged), (1, 1, 1, 3));
    assert_eq!(store.show(ShowId(1)).await.expect("show"), Some(show(1)), "kept");
    assert_eq!(store.show(ShowId(2)).await.expect("show"), Some(changed));
    assert_eq!(store.show(ShowId(4)).await.expect("show"), None);
    assert_eq!(top_ids(store).await, [6, 1, 2]);

    let published = store.published().await.expect("published");
    let fetched: Vec<_> = published.shows.values().map(|version| version.fetched_at).collect();
    assert_eq!(fetched, [at(2), at(12), at(12), at(2), at(12)]);
    assert_eq!(published.shows[&ShowId(2)], ShowVersion { updated: Some(99), fetched_at: at(12) });
    assert_eq!(published.pages.into_iter().collect::<Vec<_>>(), [(0, at(2)), (7, at(12))]);
    let casts = [(ShowId(1), show(1).updated), (ShowId(2), Some(99)), (ShowId(6), show(6).updated)];
    assert_eq!(published.casts.into_iter().collect::<Vec<_>>(), casts);
}

pub async fn a_top_show_keeps_its_cast_until_another_is_staged(store: &dyn ShowStore) {
    let cast = |show| vec![cast_member(show, 1, 1), cast_member(show, 1, 2)];
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![show(1), show(2)])], at(2), &status).await.expect("stage");
    for id in [1, 2] {
        store.stage_cast(&show(id), cast(id), at(3), &status).await.expect("cast");
    }
    let top = [ShowId(1), ShowId(2)];
    store.publish(&top, at(4), success(&status)).await.expect("publish");

    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.keep_published().await.expect("keep");
    store.stage_cast(&show(2), vec![cast_member(2, 9, 5)], at(5), &status).await.expect("cast");
    store.publish(&top, at(6), success(&status)).await.expect("publish");
    let actors = store.multi_character_actors().await.expect("actors");
    assert_eq!(actors.len(), 1, "person 1 in the kept cast of show 1");
    assert_eq!(actors[0].character_count, 2);
}

pub async fn an_abandoned_run_changes_nothing_but_the_history(store: &dyn ShowStore) {
    publish(store, vec![show(1)], &[1]).await;
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![show(2)])], at(2), &status).await.expect("stage");
    let failed = after(&status, RunEvent::Failed("page 1: 500".into()));
    store.abandon(&failed).await.expect("abandon");
    assert_eq!(store.show(ShowId(1)).await.expect("show"), Some(show(1)));
    assert_eq!(store.show(ShowId(2)).await.expect("show"), None);
    assert_eq!(top_ids(store).await, [1]);
    assert_eq!(store.run(status.request_id).await.expect("run"), Some(failed));
}

pub async fn the_later_update_of_a_show_stays(store: &dyn ShowStore) {
    let (mut new, mut old) = (show(1), show(1));
    (new.updated, old.updated) = (Some(20), Some(10));
    new.name = "New".into();
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![new.clone()])], at(2), &status).await.expect("stage");
    store.stage_pages(vec![(1, vec![old])], at(3), &status).await.expect("stage");
    assert_eq!(store.snapshot_size().await.expect("count"), 1);
    let ranked = store.rank_snapshot(criteria(10)).await.expect("rank");
    assert_eq!(ranked, [new]);
}

pub async fn a_show_fetched_by_itself_replaces_the_staged_one(store: &dyn ShowStore) {
    let mut alone = show(1);
    (alone.updated, alone.name) = (Some(1), "Alone".into());
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![show(1)])], at(2), &status).await.expect("stage");
    store.stage_shows(vec![alone.clone()], at(3), &status).await.expect("stage");
    assert_eq!(store.rank_snapshot(criteria(10)).await.expect("rank"), [alone]);
}

pub async fn a_dropped_show_is_not_published(store: &dyn ShowStore) {
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![show(1), show(2)])], at(2), &status).await.expect("stage");
    store.drop_shows(vec![ShowId(1)], &status).await.expect("drop");
    store.publish(&[], at(4), success(&status)).await.expect("publish");
    assert_eq!(store.show(ShowId(1)).await.expect("show"), None);
    assert!(store.show(ShowId(2)).await.expect("show").is_some());
}

pub async fn ranks_the_snapshot(store: &dyn ShowStore) {
    let (mut best, mut foreign, mut comedy) = (show(1), show(2), show(3));
    best.rating_average = Some(9.9);
    foreign.language = Some("French".into());
    comedy.genres = vec!["Action Comedy".into()];
    let mut unrated = show(4);
    unrated.rating_average = None;
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    let page = vec![unrated, foreign, comedy, show(5), best];
    store.stage_pages(vec![(0, page)], at(2), &status).await.expect("stage");
    let ranked = store.rank_snapshot(criteria(2)).await.expect("rank");
    assert_eq!(ranked.iter().map(|show| show.id.0).collect::<Vec<_>>(), [1, 5]);
}

pub async fn casts_keep_their_order_and_count_characters_by_person(store: &dyn ShowStore) {
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![show(1), show(2)])], at(2), &status).await.expect("stage");
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
    store.stage_cast(&show(1), first, at(3), &status).await.expect("cast");
    store.stage_cast(&show(2), second, at(3), &status).await.expect("cast");
    let top = [ShowId(2), ShowId(1)];
    store.publish(&top, at(4), success(&status)).await.expect("publish");
    let actor = |person_name: &str, character_count| MultiCharacterActor {
        person_name: person_name.into(),
        character_count,
    };
    let actors = store.multi_character_actors().await.expect("actors");
    assert_eq!(actors, [actor("Person 7", 3), actor("Person 6", 2)]);
}

pub async fn a_new_run_starts_from_an_empty_staging_area(store: &dyn ShowStore) {
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![show(1)])], at(2), &status).await.expect("stage");
    store.note(&after(&status, RunEvent::Interrupted("stopped".into()))).await.expect("note");
    store.begin(&running(), BY_CLAIM).await.expect("begin");
    assert_eq!(store.snapshot_size().await.expect("count"), 0);
    assert_eq!(store.staged().await.expect("staged"), StagingState::default());
}

pub async fn an_interrupted_run_goes_on_with_what_it_staged(store: &dyn ShowStore) {
    publish(store, vec![show(1), show(2), show(3)], &[1, 2]).await;
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.keep_published().await.expect("keep");
    let mut changed = show(2);
    changed.updated = Some(99);
    store.stage_pages(vec![(7, vec![changed.clone()])], at(12), &status).await.expect("stage");
    store.drop_shows(vec![ShowId(3)], &status).await.expect("drop");
    store.stage_cast(&changed, vec![], at(13), &status).await.expect("cast");
    let interrupted = after(&status, RunEvent::Interrupted("stopped".into()));
    store.note(&interrupted).await.expect("note");
    assert_eq!(store.next_run(&[]).await.expect("next"), Some(interrupted.clone()));

    let resumed = after(&interrupted, RunEvent::Started);
    store.begin(&resumed, BY_CLAIM).await.expect("begin");
    let staged = store.staged().await.expect("staged");
    assert!(staged.keeps_published);
    assert_eq!(staged.pages.into_iter().collect::<Vec<_>>(), [(7, at(12))]);
    let snapshot = staged.snapshot;
    assert_eq!(snapshot.pages.into_iter().collect::<Vec<_>>(), [(0, at(2)), (7, at(12))]);
    let versions: Vec<_> =
        snapshot.shows.iter().map(|(id, version)| (id.0, version.updated)).collect();
    assert_eq!(versions, [(1, show(1).updated), (2, Some(99))]);
    let casts = [(ShowId(1), show(1).updated), (ShowId(2), Some(99))];
    assert_eq!(snapshot.casts.into_iter().collect::<Vec<_>>(), casts);
    store.publish(&[ShowId(2)], at(20), success(&resumed)).await.expect("publish");
    assert_eq!(store.show(ShowId(2)).await.expect("show"), Some(changed));
    assert_eq!(store.show(ShowId(3)).await.expect("show"), None);
    assert_eq!(store.next_run(&[]).await.expect("next"), None);
}

pub async fn what_was_staged_can_be_thrown_away(store: &dyn ShowStore) {
    publish(store, vec![show(1)], &[1]).await;
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.keep_published().await.expect("keep");
    store.stage_pages(vec![(7, vec![show(2)])], at(12), &status).await.expect("stage");
    store.unstage().await.expect("unstage");
    assert_eq!(store.staged().await.expect("staged"), StagingState::default());
    store
        .stage_pages(vec![(0, vec![show(3)])], at(13), &status)
        .await
        .expect("it is still the run's");
}

pub async fn what_is_staged_is_noted_with_the_status(store: &dyn ShowStore) {
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    let reached = after(&status, RunEvent::PagesStaged { pages: 1, shows: 1 });
    store.stage_pages(vec![(0, vec![show(1)])], at(2), &reached).await.expect("stage");
    assert_eq!(store.run(status.request_id).await.expect("run"), Some(reached));
}

pub async fn idle_resumes_are_counted_until_something_is_staged(store: &dyn ShowStore) {
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.count_resume().await.expect("count");
    store.count_resume().await.expect("count");
    assert_eq!(store.staged().await.expect("staged").idle_resumes, 2);
    store.stage_pages(vec![(0, vec![])], at(2), &status).await.expect("stage");
    assert_eq!(store.staged().await.expect("staged").idle_resumes, 0);
}

pub async fn an_earlier_attempt_and_an_ended_run_write_nothing(store: &dyn ShowStore) {
    let first = running();
    store.begin(&first, BY_BOTH).await.expect("begin");
    assert_eq!(store.rights().await.expect("rights"), BY_BOTH);
    store.stage_pages(vec![(0, vec![show(1)])], at(2), &first).await.expect("stage");
    let second = after(&after(&first, RunEvent::Interrupted("paused".into())), RunEvent::Started);
    store.begin(&second, BY_CLAIM).await.expect("begin");
    assert_eq!(store.rights().await.expect("rights"), BY_CLAIM);

    let late = store.begin(&first, BY_CLAIM).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    store.note(&after(&first, RunEvent::Cancelled)).await.expect("note");
    store.abandon(&after(&first, RunEvent::Failed("late".into()))).await.expect("abandon");
    assert_eq!(store.run(first.request_id).await.expect("run"), Some(second.clone()));
    assert_eq!(store.snapshot_size().await.expect("size"), 1, "what is staged is the second's");

    let failed = after(&second, RunEvent::Failed("no".into()));
    store.abandon(&failed).await.expect("abandon");
    let third = after(&after(&second, RunEvent::Interrupted("paused".into())), RunEvent::Started);
    let late = store.begin(&third, BY_CLAIM).await;
    assert!(matches!(late, Err(StoreError::Fenced)), "{late:?}");
    assert_eq!(store.run(first.request_id).await.expect("run"), Some(failed));
}

fn queued(top: u16) -> RunStatus {
    let top = TopLimit::new(top).expect("within the range");
    let parameters = RunParameters { top, ..RunParameters::default() };
    RunStatus::queued(RunId::random(), parameters, "here", at(0))
}

pub async fn requests_with_equal_parameters_share_a_run(store: &dyn ShowStore) {
    let (one, other) = (queued(1), queued(2));
    let position = |status: &RunStatus, position| {
        Enqueued::New(RunStatus { position: Some(position), ..status.clone() })
    };
    let enqueue = async |status: RunStatus, except: &'static [RunId]| {
        store.enqueue(&status, except, 2).await.expect("enqueue")
    };
    assert_eq!(enqueue(one.clone(), &[]).await, position(&one, 0));
    assert_eq!(enqueue(other.clone(), &[]).await, position(&other, 1));
    let Enqueued::Joined(joined) = enqueue(queued(2), &[]).await else { panic!("it is there") };
    assert_eq!((joined.request_id, joined.position), (other.request_id, Some(1)));
    let again = queued(1);
    let not_that_one = store.enqueue(&again, &[one.request_id], 2).await.expect("enqueue");
    assert_eq!(not_that_one, position(&again, 1));
    assert_eq!(enqueue(queued(3), &[]).await, Enqueued::Full);
    let Enqueued::Joined(_) = enqueue(queued(2), &[]).await else {
        panic!("there is room to join")
    };
}

pub async fn runs_wait_in_the_order_of_their_requests(store: &dyn ShowStore) {
    let runs = [queued(1), queued(2), queued(3)];
    for run in &runs {
        store.enqueue(run, &[], 9).await.expect("enqueue");
    }
    let next = async |except: &[RunId]| {
        store.next_run(except).await.expect("next").map(|run| run.request_id)
    };
    assert_eq!(next(&[]).await, Some(runs[0].request_id));
    assert_eq!(next(&[runs[0].request_id]).await, Some(runs[1].request_id));
    store.abandon(&after(&runs[0], RunEvent::Cancelled)).await.expect("abandon");
    let begun = after(&runs[2], RunEvent::Started);
    store.begin(&begun, BY_CLAIM).await.expect("begin");
    assert_eq!(next(&[]).await, Some(runs[2].request_id), "what was begun comes first");
    let waiting = store.run(runs[1].request_id).await.expect("run").expect("it waits");
    assert_eq!((waiting.state, waiting.position), (RunState::Queued, Some(1)));
    store.abandon(&after(&begun, RunEvent::Cancelled)).await.expect("abandon");
    assert_eq!(next(&[]).await, Some(runs[1].request_id));
}

pub async fn one_at_a_time_has_the_claim(store: &dyn ShowStore) {
    assert!(!store.is_claimed().await.expect("claimed"));
    store.claim().await.expect("claim");
    assert!(matches!(store.claim().await, Err(StoreError::RunLockHeld)));
    assert!(store.is_claimed().await.expect("claimed"));
    store.release().await;
    assert!(!store.is_claimed().await.expect("claimed"));
    store.claim().await.expect("claim");
}

pub async fn the_data_has_one_name(store: &dyn ShowStore) {
    let name = store.id().await.expect("id");
    assert!(!name.is_empty());
    publish(store, vec![show(1)], &[]).await;
    assert_eq!(store.id().await.expect("id"), name);
}

pub async fn a_noted_run_is_in_the_history_and_disturbs_no_other(store: &dyn ShowStore) {
    let status = running();
    store.begin(&status, BY_CLAIM).await.expect("begin");
    store.stage_pages(vec![(0, vec![show(1)])], at(2), &status).await.expect("stage");
    let cancelled = after(&running(), RunEvent::Cancelled);
    store.note(&cancelled).await.expect("note");
    assert_eq!(store.run(cancelled.request_id).await.expect("run"), Some(cancelled));
    assert_eq!(store.snapshot_size().await.expect("count"), 1);
    store.publish(&[], at(4), success(&status)).await.expect("publish");
}

pub async fn history_is_newest_first(store: &dyn ShowStore) {
    let mut ids = Vec::new();
    for _ in 0..3 {
        let status = running();
        store.begin(&status, BY_CLAIM).await.expect("begin");
        store.abandon(&after(&status, RunEvent::Cancelled)).await.expect("abandon");
        ids.insert(0, status.request_id);
    }
    let runs = store.runs(2).await.expect("runs");
    assert_eq!(runs.iter().map(|run| run.request_id).collect::<Vec<_>>(), ids[..2]);
}
