//! Following a shared database through outages and other faults.

use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rusqlite::Connection;
use tempfile::TempDir;
use tokio::time::{sleep, timeout};
use tvshows_core::conformance::fixtures::{
    at, begin, pages, publish, publish_at, running, show, success,
};
use tvshows_core::memory::MemoryStore;
use tvshows_core::{
    Catalog, CellValue, RowWriter, Show, ShowFilter, ShowId, ShowQuery, SnapshotCopy,
    SnapshotSource, StagedBatch, StoreError, Table,
};
use tvshows_replica::ReplicaCatalog;
use tvshows_sqlite::SqliteStore;

use crate::source::{Fault, FaultySource};

const MAX_STALENESS: Duration = Duration::from_mins(1);

struct Replica {
    source: FaultySource,
    catalog: Arc<ReplicaCatalog>,
    path: PathBuf,
    _folder: TempDir,
}

impl Replica {
    async fn new() -> Replica {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.db");
        let source = FaultySource::default();
        let catalog = open(&source, &path).await;
        Replica { source, catalog, path, _folder: folder }
    }

    /// A replica that has copied the shows 1 to 5.
    async fn filled() -> Replica {
        let replica = Replica::new().await;
        publish(&replica.source.store(), (1..=5).map(show).collect(), &[1]).await;
        replica.catalog.catch_up().await.unwrap();
        assert_eq!(replica.source.take_changes(), [true]);
        replica
    }

    async fn ids(&self) -> Result<Vec<u32>, StoreError> {
        let query = ShowQuery { limit: 100, ..ShowQuery::default() };
        let page = self.catalog.shows(query).await?;
        Ok(page.shows.into_iter().map(|show| show.id.0).collect())
    }

    fn sql(&self, sql: &str) {
        Connection::open(&self.path).unwrap().execute_batch(sql).unwrap();
    }
}

async fn open(source: &FaultySource, path: &std::path::Path) -> Arc<ReplicaCatalog> {
    let copy = Arc::new(SqliteStore::open_copy(path).await.unwrap());
    let source = Arc::new(source.clone());
    Arc::new(ReplicaCatalog::new(source, copy, "here".into(), MAX_STALENESS).await.unwrap())
}

/// Publishes show 6 beside those that are published.
async fn add_show_6(store: &MemoryStore) {
    let status = running();
    let session = begin(store, &status).await;
    session.start_incremental().await.unwrap();
    let batch = StagedBatch::Shows { shows: vec![show(6)], details: Vec::new(), at: at(20) };
    session.commit(Some(Arc::new(batch)), &status).await.unwrap();
    session.publish(&[ShowId(6), ShowId(1)], &[], at(21), success(&status)).await.unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_publish_is_copied_and_reported_within_a_poll() {
    let replica = Replica::filled().await;
    let store = replica.source.store();
    let watch = async {
        sleep(Duration::from_millis(450)).await;
        let first = store.position().await.unwrap();
        let reports = replica.source.take_reports();
        assert_eq!(reports.len(), 1, "only changes, within a second");
        assert_eq!((reports[0].0.as_str(), &reports[0].1), ("here", &first));
        add_show_6(&store).await;
        sleep(Duration::from_millis(150)).await;
        assert_eq!(replica.ids().await.unwrap(), [1, 2, 3, 4, 5, 6]);
        let second = store.position().await.unwrap();
        assert_ne!(first, second);
        let reports = replica.source.take_reports();
        assert_eq!(reports.iter().map(|report| &report.1).collect::<Vec<_>>(), [&second]);
        assert_eq!(replica.source.take_changes(), [false]);

        sleep(Duration::from_secs(10)).await;
        let reports = replica.source.take_reports();
        let gaps = reports.windows(2).map(|pair| pair[1].2 - pair[0].2);
        assert!((8..=10).contains(&reports.len()), "once a second: {}", reports.len());
        assert!(gaps.max().unwrap() < Duration::from_millis(1500), "a publish waits for it");
        assert!(replica.source.take_changes().is_empty());
        replica.catalog.replica_health()
    };
    let health = tokio::select! {
        never = replica.catalog.follow() => match never {},
        health = watch => health,
    };
    assert_eq!(health.snapshots_behind, 0);
    assert!(health.last_contact <= Duration::from_millis(100));
}

#[tokio::test(start_paused = true)]
async fn reads_continue_without_the_shared_database_until_they_are_stale() {
    let replica = Replica::filled().await;
    let watch = async {
        sleep(Duration::from_secs(1)).await;
        replica.source.set_fault(Fault::Unreachable);
        sleep(Duration::from_secs(50)).await;
        assert_eq!(replica.ids().await.unwrap(), [1, 2, 3, 4, 5]);
        let health = replica.catalog.health().await.unwrap().replica.unwrap();
        assert_eq!((health.snapshots_behind, health.last_contact.as_secs()), (0, 50));
        let error = Catalog::manifest(&*replica.catalog).await;
        assert!(matches!(error, Err(StoreError::Unreachable { .. })), "{error:?}");
        let changes = replica.catalog.last_changes().await.unwrap();
        assert_eq!(changes.keys().map(|id| id.0).collect::<Vec<_>>(), [1, 2, 3, 4, 5]);

        sleep(Duration::from_secs(11)).await;
        let error = replica.ids().await.unwrap_err();
        assert!(matches!(error, StoreError::Stale { seconds: 61 }), "{error:?}");
        assert!(replica.catalog.last_changes().await.is_err());
        let error = replica.catalog.health().await.unwrap_err();
        assert!(matches!(error, StoreError::Stale { .. }), "{error:?}");

        add_show_6(&replica.source.store()).await;
        replica.source.set_fault(None);
        sleep(Duration::from_secs(1)).await;
        assert_eq!(replica.ids().await.unwrap(), [1, 2, 3, 4, 5, 6]);
    };
    tokio::select! {
        never = replica.catalog.follow() => match never {},
        () = watch => {}
    }
}

#[tokio::test(start_paused = true)]
async fn nothing_is_read_from_a_copy_that_was_never_filled() {
    let replica = Replica::new().await;
    replica.source.set_fault(Fault::Unreachable);
    let watch = async {
        sleep(Duration::from_secs(1)).await;
        let error = replica.ids().await.unwrap_err();
        assert!(matches!(error, StoreError::Unreachable { .. }), "{error:?}");
        assert!(
            replica.catalog.health().await.is_err() && replica.source.take_reports().is_empty()
        );
        replica.source.set_fault(None);
        sleep(Duration::from_secs(1)).await;
        assert!(replica.ids().await.unwrap().is_empty(), "nothing is published");
        replica.catalog.health().await.unwrap();
    };
    tokio::select! {
        never = replica.catalog.follow() => match never {},
        () = watch => {}
    }
}

#[tokio::test(start_paused = true)]
async fn failures_that_need_an_operator_are_retried_less_often() {
    let replica = Replica::filled().await;
    add_show_6(&replica.source.store()).await;
    replica.source.set_fault(Fault::Corrupt);
    let watch = async {
        sleep(Duration::from_secs(61)).await;
        let health = replica.catalog.health().await.unwrap().replica.unwrap();
        assert_eq!(health.snapshots_behind, 1);
        assert!(health.last_contact < Duration::from_secs(11));
        assert_eq!(replica.ids().await.unwrap(), [1, 2, 3, 4, 5]);
    };
    tokio::select! {
        never = replica.catalog.follow() => match never {},
        () = watch => {}
    }
    assert!(replica.source.polls() < 10, "{}", replica.source.polls());
}

#[tokio::test]
async fn a_lost_connection_changes_nothing_and_the_next_attempt_gets_everything() {
    let replica = Replica::filled().await;
    publish(&replica.source.store(), (3..=9).map(show).collect(), &[4]).await;
    replica.source.set_fault(Fault::CutShort);
    let error = replica.catalog.catch_up().await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(replica.ids().await.unwrap(), [1, 2, 3, 4, 5]);
    assert_eq!(replica.catalog.replica_health().snapshots_behind, 1);
    replica.source.set_fault(None);
    replica.catalog.catch_up().await.unwrap();
    assert_eq!(replica.ids().await.unwrap(), [3, 4, 5, 6, 7, 8, 9]);
    assert_eq!(replica.source.take_changes(), [false, false]);
}

#[tokio::test]
async fn a_copy_that_differs_is_filled_again() {
    for damage in
        ["DELETE FROM All_Shows WHERE id = 3", "UPDATE All_Shows SET id = 99 WHERE id = 1"]
    {
        let replica = Replica::filled().await;
        replica.sql(damage);
        add_show_6(&replica.source.store()).await;
        replica.catalog.catch_up().await.unwrap();
        assert_eq!(replica.source.take_changes(), [false, true], "{damage}");
        assert_eq!(replica.ids().await.unwrap(), [1, 2, 3, 4, 5, 6]);
    }
}

#[tokio::test]
async fn a_copy_of_another_database_or_of_a_lost_publish_is_filled_again() {
    let replica = Replica::filled().await;
    let first = replica.source.store().position().await.unwrap();
    let other = MemoryStore::default();
    publish_at(&other, vec![show(7)], 30).await;
    assert_eq!(other.position().await.unwrap().version.number, first.version.number);
    replica.source.replace_store(other.clone());
    replica.catalog.catch_up().await.unwrap();
    assert_eq!(replica.source.take_changes(), [true]);
    assert_eq!(replica.ids().await.unwrap(), [7]);

    // The same database after it lost its last publish, and published something else at another time.
    let lost = other.position().await.unwrap();
    replica.sql("UPDATE _Snapshot_Version SET published_at = '2026-11-22T10:00:31Z'");
    let catalog = reopen(replica).await;
    catalog.catalog.catch_up().await.unwrap();
    assert_eq!(catalog.source.take_changes(), [true]);
    assert_eq!(catalog.catalog.snapshot_version().await.unwrap(), lost.version);
}

/// Restarts the process of the replica.
async fn reopen(mut replica: Replica) -> Replica {
    replica.catalog.close().await;
    replica.catalog = open(&replica.source, &replica.path).await;
    replica
}

#[tokio::test]
async fn a_restart_continues_with_the_copy_and_a_deleted_copy_is_filled_again() {
    let mut replica = reopen(Replica::filled().await).await;
    assert_eq!(replica.ids().await.unwrap(), [1, 2, 3, 4, 5], "before the first contact");
    add_show_6(&replica.source.store()).await;
    replica.catalog.catch_up().await.unwrap();
    assert_eq!(replica.source.take_changes(), [false]);

    replica.catalog.close().await;
    std::fs::remove_file(&replica.path).unwrap();
    replica.catalog = open(&replica.source, &replica.path).await;
    replica.catalog.catch_up().await.unwrap();
    assert_eq!(replica.source.take_changes(), [true]);
    assert_eq!(replica.ids().await.unwrap(), [1, 2, 3, 4, 5, 6]);
}

#[tokio::test(start_paused = true)]
async fn changes_are_applied_one_after_the_other() {
    let replica = Replica::filled().await;
    publish(&replica.source.store(), (1..=9).map(show).collect(), &[]).await;
    let (one, other) = tokio::join!(replica.catalog.catch_up(), replica.catalog.catch_up());
    one.and(other).unwrap();
    assert_eq!(replica.source.take_changes(), [false], "the second had nothing to do");

    // A call that was dropped leaves nothing behind that disturbs the next.
    publish(&replica.source.store(), (2..=9).map(show).collect(), &[]).await;
    replica.source.set_fault(Fault::Hanging);
    timeout(Duration::from_secs(1), replica.catalog.catch_up()).await.unwrap_err();
    replica.source.set_fault(None);
    replica.catalog.catch_up().await.unwrap();
    assert_eq!(replica.ids().await.unwrap(), (2..=9).collect::<Vec<_>>());
}

/// Counts the rows of an export.
struct RowCounter(Arc<Mutex<u32>>);

impl RowWriter for RowCounter {
    fn write_row(&mut self, _: &[CellValue<'_>]) -> io::Result<()> {
        *self.0.lock().unwrap() += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

async fn exported_rows(catalog: &ReplicaCatalog, table: Table) -> u32 {
    let rows = Arc::new(Mutex::new(0));
    let counter = RowCounter(Arc::clone(&rows));
    let make = Box::new(|_| Ok(Box::new(counter) as Box<dyn RowWriter>));
    catalog.export(table, ShowFilter::default(), make).await.unwrap();
    let rows = rows.lock().unwrap();
    *rows
}

#[tokio::test]
async fn exports_of_runs_have_the_present_history() {
    let replica = Replica::filled().await;
    assert_eq!(exported_rows(&replica.catalog, Table::AllShows).await, 5);
    assert_eq!(exported_rows(&replica.catalog, Table::Runs).await, 1);
    let status = running();
    begin(&replica.source.store(), &status).await;
    assert_eq!(exported_rows(&replica.catalog, Table::Runs).await, 2);
    replica.source.set_fault(Fault::Unreachable);
    assert_eq!(exported_rows(&replica.catalog, Table::Runs).await, 2, "the last copy");
    replica.source.set_fault(None);
    replica.source.replace_store(MemoryStore::default());
    let file = tempfile::NamedTempFile::new().unwrap();
    replica.catalog.backup_to(Box::new(file.reopen().unwrap())).await.unwrap();
    let runs: u32 = Connection::open(file.path())
        .unwrap()
        .query_row("SELECT count(*) FROM Runs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(runs, 0);
}

#[tokio::test]
async fn an_integrity_check_is_of_both() {
    let replica = Replica::filled().await;
    let defects = Catalog::integrity_check(&*replica.catalog).await.unwrap();
    assert_eq!(defects, ["a defect of the source"]);
}

#[tokio::test]
async fn what_is_unchanged_is_not_sent_again() {
    let replica = Replica::filled().await;
    let store = replica.source.store();
    let status = running();
    let session = begin(&store, &status).await;
    session.start_incremental().await.unwrap();
    let renamed = Show { name: "Renamed".into(), ..show(2) };
    session.commit(pages(vec![(9, vec![renamed.clone()])], at(40)), &status).await.unwrap();
    session.publish(&[ShowId(1)], &[], at(41), success(&status)).await.unwrap();
    replica.sql("UPDATE All_Shows SET summary = 'local' WHERE id = 4");
    replica.catalog.catch_up().await.unwrap();
    assert_eq!(replica.source.take_changes(), [false]);
    assert_eq!(replica.catalog.show(ShowId(2).into()).await.unwrap(), Some(renamed));
    let untouched = replica.catalog.show(ShowId(4).into()).await.unwrap().unwrap();
    assert_eq!(untouched.summary.as_deref(), Some("local"));
}

#[tokio::test]
async fn a_closed_copy_can_be_opened_again() {
    let replica = Replica::filled().await;
    replica.catalog.close().await;
    let copy = SqliteStore::open_copy(&replica.path).await.unwrap();
    assert!(SnapshotCopy::position(&copy).await.unwrap().is_some());
}
