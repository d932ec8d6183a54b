use std::collections::BTreeSet;
use std::sync::Arc;

use tvshows_core::conformance::fixtures::{
    at, cast_member, cast_of, episode, pages, running, show, success,
};
use tvshows_core::{Show, ShowDetails, ShowId, SnapshotPosition, SnapshotSource, StagedBatch};

use crate::support::{Copy, TestStore, begin, publish};

/// A sequence that looks random, and is the same in each run.
struct Sequence(u64);

impl Sequence {
    fn below(&mut self, end: u32) -> u32 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from((self.0 >> 33) % u64::from(end)).unwrap()
    }
}

fn version(id: u32, version: u32) -> Show {
    Show { weight: Some(version.into()), updated: Some(version.into()), ..show(id) }
}

fn random_details(sequence: &mut Sequence) -> ShowDetails {
    let id = 1 + sequence.below(12);
    let episodes = (0..sequence.below(3)).map(|number| episode(id, number, "2026-11-24"));
    ShowDetails {
        show_id: ShowId(id),
        updated: Some(sequence.below(3).into()),
        cast: (0..sequence.below(2)).map(|character| cast_member(id, 1, character)).collect(),
        episodes: Some(episodes.collect()),
    }
}

/// A run that fetches some pages, some shows and deletes some, full or incremental.
async fn random_run(store: &TestStore, sequence: &mut Sequence, published: &BTreeSet<ShowId>) {
    let status = running();
    let session = begin(store, &status).await;
    let is_incremental = sequence.below(3) > 0;
    if is_incremental {
        session.start_incremental().await.unwrap();
    }
    let mut next: BTreeSet<ShowId> =
        if is_incremental { published.clone() } else { BTreeSet::new() };
    for page in 0..=sequence.below(3) {
        let shows: Vec<_> = (0..sequence.below(6))
            .map(|_| version(1 + sequence.below(12), sequence.below(3)))
            .collect();
        next.extend(shows.iter().map(|show| show.id));
        session.commit(pages(vec![(page, shows)], at(2)), &status).await.unwrap();
    }
    let deleted: Vec<_> = (0..sequence.below(3)).map(|_| ShowId(1 + sequence.below(12))).collect();
    next.retain(|id| !deleted.contains(id));
    session.commit(Some(Arc::new(StagedBatch::Deletions(deleted))), &status).await.unwrap();
    let alone = version(1 + sequence.below(12), sequence.below(3));
    next.insert(alone.id);
    let details = (0..sequence.below(4)).map(|_| random_details(sequence)).collect();
    let batch = StagedBatch::Shows { shows: vec![alone], details, at: at(3) };
    session.commit(Some(Arc::new(batch)), &status).await.unwrap();
    let top: Vec<_> = next.iter().copied().take(2).collect();
    for id in &top {
        let cast = vec![cast_member(id.0, 1, sequence.below(2))];
        session.commit(cast_of(&show(id.0), cast, at(3)), &status).await.unwrap();
    }
    let count = session.staged_show_count().await.unwrap();
    assert_eq!(usize::try_from(count).unwrap(), next.len());
    let ranked =
        session.rank_staged(tvshows_core::conformance::fixtures::criteria(500)).await.unwrap();
    assert_eq!(ranked.len(), next.len(), "all of these shows qualify");
    let staged: BTreeSet<_> = session.staging().await.unwrap().snapshot.shows.into_keys().collect();
    assert_eq!(staged, next);
    let least = sequence.below(8);
    let detailed: Vec<_> = next.iter().copied().filter(|id| id.0 > least).collect();
    session.publish(&top, &detailed, at(4), success(&status)).await.unwrap();
    let manifest = store.manifest().await.unwrap();
    let details = &manifest.details;
    assert!(details.keys().all(|id| next.contains(id)));
    assert!(details.iter().all(|(id, version)| !version.has_episodes || detailed.contains(id)));
    assert_eq!(manifest.shows.into_keys().collect::<BTreeSet<_>>(), next);
}

#[tokio::test]
async fn a_copy_that_follows_the_changes_equals_a_full_one() {
    let store = TestStore::new().await;
    let mut sequence = Sequence(17);
    let (mut often, mut seldom) = (Copy::default(), Copy::default());
    let mut last = Copy::default();
    for run in 0..40 {
        random_run(&store, &mut sequence, &last.shows.keys().copied().collect()).await;
        let full = Copy::full(&store).await;
        let changes = often.update(&store).await;
        assert_eq!(changes.is_complete, run == 0);
        assert_eq!(often, full, "after run {run}");
        let is_same =
            last.shows == full.shows && last.top == full.top && last.details == full.details;
        assert_eq!(last.position == full.position, is_same, "only changes are another snapshot");
        if sequence.below(4) == 0 {
            seldom.update(&store).await;
            assert_eq!(seldom, full, "after run {run}");
        }
        last = full;
    }
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn a_copy_of_an_unknown_snapshot_is_filled_again() {
    let store = TestStore::new().await;
    publish(&store, vec![show(1)], &[]).await;
    publish(&store, vec![show(2)], &[]).await;
    let current = store.position().await.unwrap();
    let is_complete = async |since: &SnapshotPosition| {
        store.changes_since(Some(since)).await.unwrap().is_complete
    };
    assert!(!is_complete(&current).await);
    let mut unknown = current.clone();
    unknown.version.published_at = Some(at(9));
    assert!(is_complete(&unknown).await, "a failover lost its publish");
    unknown.version = current.version;
    unknown.database_id = "other".into();
    assert!(is_complete(&unknown).await);
    unknown.version.number = 99;
    assert!(is_complete(&unknown).await);
}

#[tokio::test]
async fn old_versions_are_deleted() {
    let store = TestStore::new().await;
    let mut old = Copy::default();
    for number in 1..=55 {
        publish(&store, vec![version(1, number), show(2)], &[]).await;
        if number == 3 {
            old.update(&store).await;
        }
    }
    let versions = "SELECT count(*), min(until) FROM _show_versions WHERE id = 1";
    assert_eq!(store.psql(versions).await, "51|6");
    assert_eq!(store.psql("SELECT min(number), max(number) FROM _snapshots").await, "5|55");
    assert!(old.update(&store).await.is_complete);
    assert_eq!(old, Copy::full(&store).await);
}

#[tokio::test]
async fn a_snapshot_is_read_as_a_whole_while_others_are_published() {
    let store = TestStore::new().await;
    publish(&store, (1..=2500).map(|id| version(id, 1)).collect(), &[]).await;
    let mut changes = store.changes_since(None).await.unwrap();
    publish(&store, (1..=3000).map(|id| version(id, 2)).collect(), &[]).await;
    let mut shows = Vec::new();
    while let Some(batch) = futures::StreamExt::next(&mut changes.shows).await {
        shows.extend(batch.unwrap());
    }
    assert_eq!(shows.len(), 2500);
    assert!(shows.iter().all(|stored| stored.show.weight == Some(1)));
    assert_eq!(changes.target.version.number, 1);
}

#[tokio::test]
async fn every_text_is_stored_exactly() {
    let store = TestStore::new().await;
    let mut odd = show(1);
    odd.name = "a\0b".into();
    odd.summary = Some("\0".into());
    odd.genres = vec!["A\0".into(), "Action".into()];
    odd.url = Some("\u{2400}\0\u{2400}".into());
    odd.extra.insert("nul".into(), "\0".into());
    let mut plain = show(2);
    plain.name = "\u{2400} ß İ 漢 \u{1f600}".into();
    plain.rating_average = Some(-0.0);
    let status = running();
    let session = begin(&store, &status).await;
    let shows = vec![odd.clone(), plain.clone()];
    session.commit(pages(vec![(0, shows.clone())], at(2)), &status).await.unwrap();
    let mut member = cast_member(1, 1, 1);
    member.character_name = "\0".into();
    member.person_gender = Some("x\0".into());
    let cast = vec![member.clone()];
    session.commit(cast_of(&odd, cast, at(3)), &status).await.unwrap();
    session.publish(&[ShowId(1)], &[], at(4), success(&status)).await.unwrap();
    let copy = Copy::full(&store).await;
    assert_eq!(copy.shows.into_values().collect::<Vec<_>>(), shows);
    assert_eq!(copy.details[&ShowId(1)].details.cast, [member]);
    assert_eq!(
        store.psql("SELECT name, genres FROM all_shows WHERE id = 1").await,
        "a\u{2400}b|A\u{2400},Action"
    );
    let position = store.position().await.unwrap();
    publish(&store, shows, &[]).await;
    assert_ne!(store.position().await.unwrap(), position, "another top");
    assert_eq!(store.psql("SELECT count(*) FROM _show_versions").await, "2", "no other versions");
}

#[tokio::test]
async fn a_defect_is_found() {
    let store = TestStore::new().await;
    publish(&store, vec![show(1), show(2)], &[2]).await;
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
    store.psql("UPDATE _show_versions SET weight = 1 WHERE id = 1").await;
    store.psql("UPDATE _details_versions SET cast_members = '[]'").await;
    store.psql("DELETE FROM _show_versions WHERE id = 2").await;
    let defects = store.integrity_check().await.unwrap();
    let expected = [
        "show 1 does not have the content that was stored",
        "the top show 2 is not among the shows",
        "the details of show 2 are not those that were stored",
        "show 2 has details, and is not among the shows",
        "Top_Shows_Cast and Show_Cast have different casts of show 2",
    ];
    assert_eq!(defects, expected);
}
