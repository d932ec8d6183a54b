//! The same operations on SQLite alone, and on PostgreSQL with a copy.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use serde_json::{Map, json};
use tempfile::TempDir;
use tvshows_core::conformance::fixtures::{
    WITH_LOCK, after, at, cast_member, cast_of, criteria, episode, pages, running, show, success,
};
use tvshows_core::{
    CastMember, Catalog, DetailsCatalog, Episode, RunEvent, RunLock, RunQueue, RunSession,
    RunStatus, ScheduleQuery, Show, ShowDetails, ShowFilter, ShowId, ShowQuery, StagedBatch,
};
use tvshows_postgres::PostgresStore;
use tvshows_replica::ReplicaCatalog;
use tvshows_sqlite::SqliteStore;
use tvshows_testkit::dump_content;

use crate::postgres::{new_database, open_copy};

/// Five cases of up to forty.
const CASES: u32 = 5;
const MAX_OPERATIONS: usize = 40;

/// An id, and a version of its show.
type Version = (u32, u32);

/// The version of a show, how many characters it has, and the airdates of its episodes.
type DetailsOf = (Version, u32, Vec<u32>);

#[derive(Debug, Clone)]
enum Operation {
    Begin {
        is_incremental: bool,
    },
    StagePages(Vec<(u32, Vec<Version>)>),
    StageShows(Vec<Version>),
    StageDeletions(Vec<u32>),
    StageCast {
        show: u32,
        characters: u32,
    },
    StageDetails(Vec<DetailsOf>),
    DiscardStaging,
    /// The shows that match a minimum rating get details.
    Publish {
        top: u16,
        min_rating: Option<u8>,
    },
    Abandon,
    Resume,
    RestartCopy,
    DeleteCopy,
}

fn operation() -> impl Strategy<Value = Operation> {
    let version = || (1..15_u32, 0..5_u32);
    let page = (0..3_u32, vec(version(), 0..5));
    prop_oneof![
        3 => any::<bool>().prop_map(|is_incremental| Operation::Begin { is_incremental }),
        4 => vec(page, 1..3).prop_map(Operation::StagePages),
        2 => vec(version(), 1..4).prop_map(Operation::StageShows),
        2 => vec(1..15_u32, 1..4).prop_map(Operation::StageDeletions),
        3 => (1..15_u32, 0..3_u32)
            .prop_map(|(show, characters)| Operation::StageCast { show, characters }),
        4 => vec((version(), 0..3_u32, vec(1..4_u32, 0..4)), 1..4).prop_map(Operation::StageDetails),
        1 => Just(Operation::DiscardStaging),
        6 => (1..5_u16, prop::option::of(5..8_u8))
            .prop_map(|(top, min_rating)| Operation::Publish { top, min_rating }),
        1 => Just(Operation::Abandon),
        2 => Just(Operation::Resume),
        1 => Just(Operation::RestartCopy),
        1 => Just(Operation::DeleteCopy),
    ]
}

fn version((id, version): Version) -> Show {
    let name = ["Nip/Tuck", "S.W.A.T.", "İstanbul ß", "進撃の巨人", "Love \u{0} Hate"];
    Show {
        name: name[version as usize].into(),
        weight: Some(version.into()),
        updated: Some(version.into()),
        rating_average: (version > 0).then(|| 5.0 + f64::from(version) / 2.0),
        summary: (version > 1).then(|| format!("<p>Version\u{0}{version}</p>")),
        ..show(id)
    }
}

fn details(((id, number), characters, days): DetailsOf) -> ShowDetails {
    let member = |character| CastMember {
        character_name: format!("\u{0}\\u0000 {character}"),
        show_name: version((id, number)).name,
        ..cast_member(id, number, character)
    };
    let episode = |(position, day): (u32, u32)| Episode {
        name: (day > 1).then(|| format!("\u{0} \\ {number}")),
        rating_average: (day > 2).then(|| 5.0 + f64::from(number) / 3.0),
        airstamp: (number > 0).then(|| format!("2026-11-0{day}T2{number}:00:00+00:00")),
        extra: Map::from_iter((position > 0).then(|| ("later".into(), json!([number, "\u{0}"])))),
        ..episode(id, position, &format!("2026-11-0{day}"))
    };
    ShowDetails {
        show_id: ShowId(id),
        updated: Some(number.into()),
        cast: (0..characters).map(member).collect(),
        episodes: Some((0..).zip(days).map(episode).collect()),
    }
}

/// Both stores, and the run in progress.
struct Pair {
    single: SqliteStore,
    single_path: PathBuf,
    shared: Arc<PostgresStore>,
    replica: ReplicaCatalog,
    replica_path: PathBuf,
    run: Option<(RunStatus, [Box<dyn RunSession>; 2])>,
    /// Rises with each operation.
    second: i64,
    _folder: TempDir,
}

impl Pair {
    async fn new() -> Pair {
        let folder = tempfile::tempdir().unwrap();
        let single_path = folder.path().join("single.db");
        let replica_path = folder.path().join("copy.db");
        let single = SqliteStore::open(&single_path).await.unwrap();
        let shared = Arc::new(new_database().await.0);
        let replica = open_copy(&shared, &replica_path).await;
        replica.catch_up().await.unwrap();
        assert!(single.acquire("here", None).await.unwrap());
        Pair {
            single,
            single_path,
            shared,
            replica,
            replica_path,
            run: None,
            second: 10,
            _folder: folder,
        }
    }

    async fn begin(&mut self, status: RunStatus) {
        assert!(self.shared.acquire("here", None).await.unwrap());
        let single = self.single.begin(&status, WITH_LOCK).await.unwrap();
        let shared = self.shared.begin(&status, WITH_LOCK).await.unwrap();
        self.run = Some((status, [single, shared]));
    }

    async fn commit(&mut self, batch: Arc<StagedBatch>) {
        if self.run.is_none() {
            self.begin(running()).await;
        }
        let Some((status, sessions)) = &self.run else { return };
        for session in sessions {
            session.commit(Some(Arc::clone(&batch)), status).await.unwrap();
        }
    }

    async fn apply(&mut self, operation: Operation) {
        self.second += 1;
        let at = at(self.second);
        let shows = |versions: Vec<Version>| versions.into_iter().map(version).collect::<Vec<_>>();
        match operation {
            Operation::Begin { is_incremental } => {
                self.abandon().await;
                self.begin(running()).await;
                let Some((_, sessions)) = self.run.as_ref().filter(|_| is_incremental) else {
                    return;
                };
                for session in sessions {
                    session.start_incremental().await.unwrap();
                }
            }
            Operation::StagePages(staged) => {
                let staged = staged.into_iter().map(|(page, versions)| (page, shows(versions)));
                self.commit(pages(staged.collect(), at).unwrap()).await;
            }
            Operation::StageShows(versions) => {
                self.commit(Arc::new(StagedBatch::Shows {
                    shows: shows(versions),
                    details: Vec::new(),
                    at,
                }))
                .await;
            }
            Operation::StageDeletions(ids) => {
                let ids = ids.into_iter().map(ShowId).collect();
                self.commit(Arc::new(StagedBatch::Deletions(ids))).await;
            }
            Operation::StageCast { show: id, characters } => {
                let cast = (0..characters).map(|character| cast_member(id, 1, character));
                self.commit(cast_of(&show(id), cast.collect(), at).unwrap()).await;
            }
            Operation::StageDetails(staged) => {
                // Of shows that the same batch stages.
                let shows = shows(staged.iter().map(|(version, ..)| *version).collect());
                let details = staged.into_iter().map(details).collect();
                self.commit(Arc::new(StagedBatch::Shows { shows, details, at })).await;
            }
            Operation::DiscardStaging => {
                for session in self.run.iter().flat_map(|(_, sessions)| sessions) {
                    session.discard_staging().await.unwrap();
                }
            }
            Operation::Publish { top, min_rating } => self.publish(top, min_rating).await,
            Operation::Abandon => self.abandon().await,
            Operation::Resume => self.resume().await,
            Operation::RestartCopy => self.reopen(false).await,
            Operation::DeleteCopy => self.reopen(true).await,
        }
    }

    async fn publish(&mut self, top: u16, min_rating: Option<u8>) {
        let Some((status, [single, shared])) = self.run.take() else { return };
        let at = at(self.second);
        let ranked = single.rank_staged(criteria(top)).await.unwrap();
        assert_eq!(shared.rank_staged(criteria(top)).await.unwrap(), ranked);
        assert_eq!(
            shared.staged_show_count().await.unwrap(),
            single.staged_show_count().await.unwrap()
        );
        let top: Vec<_> = ranked.iter().map(|show| show.id).collect();
        let mut detailed = Vec::new();
        if let Some(rating) = min_rating {
            let mut filter = ShowFilter::default();
            filter.set("min_rating", &rating.to_string()).unwrap();
            let matching = single.matching_shows(filter.clone()).await.unwrap();
            assert_eq!(shared.matching_shows(filter).await.unwrap(), matching);
            detailed.extend(matching.into_keys());
        }
        let published = single.publish(&top, &detailed, at, success(&status)).await.unwrap();
        assert_eq!(shared.publish(&top, &detailed, at, success(&status)).await.unwrap(), published);
        self.replica.catch_up().await.unwrap();
    }

    async fn abandon(&mut self) {
        let Some((status, _)) = self.run.take() else { return };
        let failed = after(&status, RunEvent::Failed("a test".into()));
        self.single.finish_unpublished(&failed).await.unwrap();
        self.shared.finish_unpublished(&failed).await.unwrap();
    }

    /// Interrupts the run and starts the next attempt.
    async fn resume(&mut self) {
        let Some((status, _)) = self.run.take() else { return };
        let interrupted = after(&status, RunEvent::Interrupted("a test".into()));
        self.begin(after(&interrupted, RunEvent::Started)).await;
        let Some((_, [single, shared])) = &self.run else { return };
        assert_eq!(shared.staging().await.unwrap(), single.staging().await.unwrap());
    }

    async fn reopen(&mut self, is_deleted: bool) {
        self.replica.close().await;
        if is_deleted {
            std::fs::remove_file(&self.replica_path).unwrap();
        }
        self.replica = open_copy(&self.shared, &self.replica_path).await;
        self.replica.catch_up().await.unwrap();
    }

    async fn compare(&self) {
        assert_eq!(dump_content(&self.replica_path), dump_content(&self.single_path));
        let manifest = Catalog::manifest(&self.replica).await.unwrap();
        assert_eq!(manifest, self.single.manifest().await.unwrap());
        assert_eq!(
            self.replica.snapshot_version().await.unwrap(),
            self.single.snapshot_version().await.unwrap()
        );
        assert_eq!(self.replica.stats().await.unwrap(), self.single.stats().await.unwrap());
        for id in (1..15).map(ShowId) {
            let expected = self.single.episodes(id).await.unwrap();
            assert_eq!(self.replica.episodes(id).await.unwrap(), expected, "{id}");
            let members = async |store: &dyn DetailsCatalog| {
                let cast = store.cast(id).await.unwrap();
                cast.map(|rows| rows.into_iter().map(|row| row.member).collect::<Vec<_>>())
            };
            assert_eq!(members(&self.replica).await, members(&self.single).await, "{id}");
        }
        let (first, last) = ("2026-11-01".parse().unwrap(), "2026-11-02".parse().unwrap());
        let days = ScheduleQuery { filter: ShowFilter::default(), first, last };
        let expected = self.single.schedule(days.clone()).await.unwrap();
        assert_eq!(self.replica.schedule(days).await.unwrap(), expected);
        for text in [None, Some("tuck"), Some("swat"), Some("istanbul"), Some("version")] {
            let filter = ShowFilter {
                text: text.and_then(|text| text.parse().ok()),
                ..ShowFilter::default()
            };
            let query = ShowQuery { filter, limit: 100, ..ShowQuery::default() };
            let expected = self.single.shows(query.clone()).await.unwrap();
            assert_eq!(self.replica.shows(query).await.unwrap(), expected, "{text:?}");
        }
        assert_defect_free(&self.replica_path, &self.replica).await;
    }
}

async fn assert_defect_free(path: &Path, replica: &ReplicaCatalog) {
    let defects = Catalog::integrity_check(replica).await.unwrap();
    assert!(defects.is_empty(), "{}: {defects:?}", path.display());
}

#[test]
fn a_replica_has_what_a_single_database_has() {
    let config = ProptestConfig {
        cases: CASES,
        max_shrink_iters: 60,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let operations = vec(operation(), MAX_OPERATIONS / 2..=MAX_OPERATIONS);
    TestRunner::new(config)
        .run(&operations, |operations| {
            runtime.block_on(async {
                let mut pair = Pair::new().await;
                for operation in operations {
                    pair.apply(operation).await;
                    pair.compare().await;
                }
            });
            Ok(())
        })
        .unwrap();
}
