//! The store as a copy of a shared database.

use std::fs;
use std::path::Path;

use futures::channel::mpsc;
use futures::{SinkExt, StreamExt, stream};
use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{at, cast_member, episode, publish, running, show};
use tvshows_core::{
    CastRow, Catalog, DetailsCatalog, Episode, Facet, RunQueue, RunRecord, Show, ShowDetails,
    ShowFilter, ShowId, ShowQuery, SnapshotChanges, SnapshotCopy, SnapshotPosition,
    SnapshotVersion, StoreError, StoredDetails, StoredShow,
};
use tvshows_sqlite::SqliteStore;
use tvshows_testkit::dump_tables;

fn position(number: u64) -> SnapshotPosition {
    let published_at = i64::try_from(number).map(|second| at(1000 + second)).ok();
    SnapshotPosition {
        database_id: "shared".into(),
        version: SnapshotVersion { number, published_at },
    }
}

fn named(id: u32, name: &str) -> Show {
    Show { name: name.into(), ..show(id) }
}

fn stored(show: Show, second: i64) -> StoredShow {
    StoredShow { show, processed_at: at(second) }
}

fn cast_row(show: u32, character: u32, second: i64) -> CastRow {
    CastRow { member: cast_member(show, 7, character), processed_at: at(second), position: 0 }
}

fn details(
    show: u32,
    character: u32,
    episodes: Option<Vec<Episode>>,
    second: i64,
) -> StoredDetails {
    let cast = vec![cast_member(show, 7, character)];
    let details = ShowDetails { show_id: ShowId(show), updated: Some(second), cast, episodes };
    StoredDetails { details, processed_at: at(second) }
}

/// The first snapshot: three shows, two of them with details.
fn first() -> SnapshotChanges {
    let shows = [stored(named(1, "Early"), 1), stored(show(2), 2), stored(show(3), 3)];
    let third = vec![episode(3, 1, "2026-11-24")];
    let details = vec![details(2, 20, None, 4), details(3, 30, Some(third), 5)];
    SnapshotChanges {
        target: position(1),
        show_count: 3,
        is_complete: true,
        deleted: Vec::new(),
        top: vec![ShowId(2), ShowId(1)],
        detailed: vec![ShowId(2), ShowId(3)],
        shows: stream::iter(shows.map(|show| Ok(vec![show]))).boxed(),
        details: stream::iter([Ok(details)]).boxed(),
    }
}

/// How the second snapshot differs: a show is renamed, one is deleted, and one is new.
fn second() -> SnapshotChanges {
    let batches = [
        vec![stored(named(1, "Late"), 11)],
        vec![stored(Show { language: Some("French".into()), ..show(4) }, 12)],
    ];
    let episodes = vec![episode(1, 2, "2026-11-25"), episode(1, 1, "2026-11-24")];
    let details = [vec![details(1, 10, Some(episodes), 13)], vec![details(4, 40, None, 14)]];
    SnapshotChanges {
        target: position(5),
        show_count: 3,
        is_complete: false,
        deleted: vec![ShowId(3), ShowId(300)],
        top: vec![ShowId(1), ShowId(2)],
        detailed: vec![ShowId(1), ShowId(2), ShowId(4)],
        shows: stream::iter(batches.map(Ok)).boxed(),
        details: stream::iter(details.map(Ok)).boxed(),
    }
}

async fn filled(path: &Path) -> SqliteStore {
    let copy = SqliteStore::open_copy(path).await.unwrap();
    copy.apply(first()).await.unwrap();
    copy
}

async fn list(copy: &SqliteStore, filter: ShowFilter, sort: &str) -> (Vec<u32>, u64, usize) {
    let sort = sort.parse().unwrap();
    let facets = [Facet::Language].into();
    let query = ShowQuery { filter, sort, limit: 10, facets, ..ShowQuery::default() };
    let page = copy.shows(query).await.unwrap();
    let languages = page.facets.values().map(Vec::len).sum();
    (page.shows.into_iter().map(|show| show.id.0).collect(), page.total, languages)
}

async fn search(copy: &SqliteStore, text: &str) -> Vec<u32> {
    list(copy, ShowFilter { text: text.parse().ok(), ..ShowFilter::default() }, "id").await.0
}

async fn details_ids(copy: &SqliteStore) -> Vec<u32> {
    let manifest = Catalog::manifest(copy).await.unwrap();
    manifest.details.into_keys().map(|id| id.0).collect()
}

async fn assert_is_first(copy: &SqliteStore) {
    assert_eq!(SnapshotCopy::position(copy).await.unwrap(), Some(position(1)));
    assert_eq!(copy.snapshot_version().await.unwrap(), position(1).version);
    assert_eq!(list(copy, ShowFilter::default(), "name").await, (vec![1, 2, 3], 3, 1));
    assert_eq!(search(copy, "early").await, [1]);
    let top: Vec<_> = copy.top_shows(9).await.unwrap().into_iter().map(|show| show.id.0).collect();
    assert_eq!(top, [2, 1]);
    assert_eq!(copy.cast(ShowId(2)).await.unwrap(), Some(vec![cast_row(2, 20, 4)]));
    assert_eq!(copy.episodes(ShowId(3)).await.unwrap().map(|episodes| episodes.len()), Some(1));
    assert_eq!(details_ids(copy).await, [2, 3]);
    assert_eq!(copy.stats().await.unwrap().tables.all_shows, 3);
}

async fn assert_is_second(copy: &SqliteStore) {
    assert_eq!(SnapshotCopy::position(copy).await.unwrap(), Some(position(5)));
    assert_eq!(copy.snapshot_version().await.unwrap(), position(5).version);
    assert_eq!(list(copy, ShowFilter::default(), "-name").await, (vec![4, 2, 1], 3, 2));
    assert!(search(copy, "early").await.is_empty());
    assert_eq!(search(copy, "late").await, [1]);
    assert_eq!(copy.show(ShowId(3).into()).await.unwrap(), None);
    let top: Vec<_> = copy.top_shows(9).await.unwrap().into_iter().map(|show| show.id.0).collect();
    assert_eq!(top, [1, 2]);
    assert_eq!(copy.cast(ShowId(1)).await.unwrap(), Some(vec![cast_row(1, 10, 13)]));
    assert_eq!(copy.cast(ShowId(2)).await.unwrap(), Some(vec![cast_row(2, 20, 4)]));
    assert_eq!(copy.cast(ShowId(4)).await.unwrap(), Some(vec![cast_row(4, 40, 14)]));
    assert_eq!(copy.episodes(ShowId(1)).await.unwrap().map(|episodes| episodes.len()), Some(2));
    assert_eq!(copy.episodes(ShowId(3)).await.unwrap(), None);
    assert_eq!(details_ids(copy).await, [1, 2, 4]);
    let defects = copy.integrity_check().await.unwrap();
    assert!(defects.is_empty(), "{defects:?}");
}

#[tokio::test]
async fn a_copy_follows_with_everything_that_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let copy = SqliteStore::open_copy(&path).await.unwrap();
    assert_eq!(SnapshotCopy::position(&copy).await.unwrap(), None);
    copy.apply(first()).await.unwrap();
    assert_is_first(&copy).await;
    let times =
        "SELECT group_concat(processed_at) FROM (SELECT processed_at FROM All_Shows ORDER BY id)";
    let processed_at = |sql| -> String {
        Connection::open(&path).unwrap().query_row(sql, [], |row| row.get(0)).unwrap()
    };
    let fetched = [1, 2, 3].map(|second| at(second).to_string()).join(",");
    assert_eq!(processed_at(times), fetched);
    assert_eq!(processed_at("SELECT processed_at FROM Top_Shows"), at(1001).to_string());

    copy.apply(second()).await.unwrap();
    assert_is_second(&copy).await;
    let incremental = dump_tables(&path);

    // Even if nothing but the time of the fetch differs.
    let again = stream::iter([Ok(vec![details(2, 20, None, 44)])]).boxed();
    copy.apply(SnapshotChanges { details: again, ..second() }).await.unwrap();
    assert_eq!(copy.cast(ShowId(2)).await.unwrap(), Some(vec![cast_row(2, 20, 44)]));

    // A complete snapshot replaces everything, also with an earlier number.
    copy.apply(first()).await.unwrap();
    assert_is_first(&copy).await;
    copy.apply(second()).await.unwrap();
    assert_eq!(dump_tables(&path), incremental);

    SnapshotCopy::close(&copy).await;
    let copy = SqliteStore::open_copy(&path).await.unwrap();
    assert_is_second(&copy).await;
}

#[tokio::test]
async fn readers_see_the_old_snapshot_until_all_of_the_next_one_has_arrived() {
    let folder = tempfile::tempdir().unwrap();
    let copy = filled(&folder.path().join("copy.db")).await;
    let (mut sender, shows) = mpsc::channel(0);
    let apply = copy.apply(SnapshotChanges { shows: shows.boxed(), ..second() });
    let send = async {
        let mut batches = second().shows;
        while let Some(batch) = batches.next().await {
            sender.send(batch).await.unwrap();
            assert_is_first(&copy).await;
        }
        drop(sender);
    };
    let (applied, ()) = tokio::join!(apply, send);
    applied.unwrap();
    assert_is_second(&copy).await;
}

#[tokio::test]
async fn changes_that_do_not_arrive_completely_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let copy = filled(&path).await;
    let before = dump_tables(&path);
    let lost = || StoreError::Unreachable { backend: "it".into(), source: "gone".into() };
    for is_complete in [false, true] {
        let extra = Ok(vec![stored(show(9), 9)]);
        let shows = stream::iter([extra, Err(lost())]).boxed();
        let error = copy.apply(SnapshotChanges { is_complete, shows, ..second() }).await;
        assert!(matches!(error, Err(StoreError::Unreachable { .. })), "{error:?}");
        assert_eq!(dump_tables(&path), before);
        assert_is_first(&copy).await;

        // Dropped while it waits for the rest.
        let shows = stream::iter([Ok(vec![stored(show(9), 9)])]).chain(stream::pending()).boxed();
        let staged = async {
            while count(&path, "_Staged_Shows") == 0 {
                tokio::task::yield_now().await;
            }
        };
        tokio::select! {
            applied = copy.apply(SnapshotChanges { is_complete, shows, ..second() }) => panic!("{applied:?}"),
            () = staged => {}
        }
        assert_is_first(&copy).await;
    }
    // What they have staged is not part of it.
    copy.apply(second()).await.unwrap();
    assert_is_second(&copy).await;
    assert_eq!(count(&path, "_Staged_Shows"), 0);
}

fn count(path: &Path, table: &str) -> u32 {
    let sql = format!("SELECT count(*) FROM {table}");
    Connection::open(path).unwrap().query_row(&sql, [], |row| row.get(0)).unwrap()
}

#[tokio::test]
async fn changes_that_do_not_fit_change_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let copy = filled(&path).await;
    let before = dump_tables(&path);
    let other = SnapshotPosition { database_id: "other".into(), ..position(5) };
    let misfits = [
        ("has 4", SnapshotChanges { show_count: 4, ..second() }),
        ("not a copy of", SnapshotChanges { target: other, ..second() }),
        ("", SnapshotChanges { top: vec![ShowId(99)], ..second() }),
        (
            "lack the details of show 4",
            SnapshotChanges {
                details: stream::empty().boxed(),
                detailed: vec![ShowId(4)],
                ..second()
            },
        ),
    ];
    for (reason, changes) in misfits {
        let error = copy.apply(changes).await.unwrap_err();
        assert!(error.to_string().contains(reason), "{error}");
        assert_eq!(dump_tables(&path), before);
        assert_is_first(&copy).await;
    }
}

#[tokio::test]
async fn a_process_that_dies_leaves_the_old_snapshot() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let copy = filled(&path).await;
    let (mut sender, shows) = mpsc::channel(0);
    let apply = copy.apply(SnapshotChanges { shows: shows.boxed(), ..second() });
    let left = folder.path().join("left");
    let die = async {
        let mut batches = second().shows;
        while let Some(batch) = batches.next().await {
            sender.send(batch).await.unwrap();
        }
        // The files are those that a process leaves that is killed at this moment.
        fs::create_dir(&left).unwrap();
        for name in ["copy.db", "copy.db-wal"] {
            fs::copy(folder.path().join(name), left.join(name)).unwrap();
        }
        drop(sender);
    };
    tokio::join!(apply, die).0.unwrap();
    let copy = SqliteStore::open_copy(&left.join("copy.db")).await.unwrap();
    assert_is_first(&copy).await;
    copy.apply(second()).await.unwrap();
    assert_is_second(&copy).await;
}

#[tokio::test]
async fn the_history_of_runs_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let copy = filled(&folder.path().join("copy.db")).await;
    let record = |sequence| RunRecord { sequence, status: running() };
    let (one, two, three) = (record(3), record(4), record(9));
    copy.replace_run_history(vec![one.clone(), two.clone()]).await.unwrap();
    assert_eq!(copy.list(9).await.unwrap(), [two.status.clone(), one.status]);
    copy.replace_run_history(vec![two.clone(), three.clone()]).await.unwrap();
    assert_eq!(copy.list(9).await.unwrap(), [three.status, two.status]);
    copy.apply(second()).await.unwrap();
    assert_eq!(copy.list(9).await.unwrap().len(), 2);
    let other = SnapshotPosition { database_id: "other".into(), ..position(1) };
    copy.apply(SnapshotChanges { target: other, ..first() }).await.unwrap();
    assert!(copy.list(9).await.unwrap().is_empty(), "those of another database");
}

fn reason(opened: Result<SqliteStore, StoreError>) -> String {
    match opened {
        Err(StoreError::InvalidDatabase { reason }) => reason,
        Err(error) => panic!("{error}"),
        Ok(_) => panic!("it was opened"),
    }
}

#[tokio::test]
async fn a_copy_is_opened_by_one_process_and_only_as_a_copy() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("copy.db");
    let copy = filled(&path).await;
    let refused = reason(SqliteStore::open_copy(&path).await);
    assert!(refused.contains("another process"), "{refused}");
    assert_is_first(&copy).await;
    SnapshotCopy::close(&copy).await;

    let before = fs::read(&path).unwrap();
    let refused = reason(SqliteStore::open(&path).await);
    assert!(refused.contains("set DATABASE_URL"), "{refused}");
    assert_eq!(fs::read(&path).unwrap(), before);

    let reader = SqliteStore::open_read_only(&path).await.unwrap();
    assert_is_first(&reader).await;
    let error = reader.apply(second()).await;
    assert!(matches!(error, Err(StoreError::ReadOnly)), "{error:?}");
}

#[tokio::test]
async fn a_database_that_is_not_a_copy_is_left_unchanged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, vec![show(1)], &[1]).await;
    let before = dump_tables(&path);
    let error = store.apply(first()).await;
    assert!(matches!(error, Err(StoreError::InvalidDatabase { .. })), "{error:?}");
    RunQueue::close(&store).await;
    drop(store);
    let refused = reason(SqliteStore::open_copy(&path).await);
    assert!(refused.contains("not a copy"), "{refused}");
    assert_eq!(dump_tables(&path), before);

    // Neither is one that cannot be read, nor the file of another program.
    let mut bytes = fs::read(&path).unwrap();
    bytes[..100].fill(0);
    fs::write(&path, &bytes).unwrap();
    reason(SqliteStore::open_copy(&path).await);
    assert_eq!(fs::read(&path).unwrap(), bytes);
    fs::write(&path, "a letter").unwrap();
    reason(SqliteStore::open_copy(&path).await);
    assert_eq!(fs::read(&path).unwrap(), b"a letter");
    fs::remove_file(&path).unwrap();
    Connection::open(&path).unwrap().execute_batch("CREATE TABLE theirs (id)").unwrap();
    let refused = reason(SqliteStore::open_copy(&path).await);
    assert!(refused.contains("another program"), "{refused}");

    // A database without data can become a copy.
    let empty = folder.path().join("empty.db");
    RunQueue::close(&SqliteStore::open(&empty).await.unwrap()).await;
    filled(&empty).await;
}

#[tokio::test]
async fn a_copy_that_cannot_be_used_is_created_again() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 5] = [
        ("another schema version", |path| {
            Connection::open(path).unwrap().pragma_update(None, "user_version", 9999).unwrap();
        }),
        ("a page in the middle", |path| {
            let mut bytes = fs::read(path).unwrap();
            let page = 16 * 1024;
            let pages = bytes.len() / page;
            bytes[page * 4..page * (pages - 1)].fill(0x5a);
            fs::write(path, bytes).unwrap();
        }),
        ("the header", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[..100].fill(0);
            fs::write(path, bytes).unwrap();
        }),
        ("no end", |path| {
            let bytes = fs::read(path).unwrap();
            fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
        }),
        ("nothing but a -wal", |path| {
            fs::remove_file(path).unwrap();
            fs::write(path.with_extension("db-wal"), "of the deleted file").unwrap();
        }),
    ];
    for (damage, apply_damage) in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.db");
        let copy = filled(&path).await;
        SnapshotCopy::close(&copy).await;
        drop(copy);
        apply_damage(&path);
        let copy =
            SqliteStore::open_copy(&path).await.unwrap_or_else(|error| panic!("{damage}: {error}"));
        assert_eq!(SnapshotCopy::position(&copy).await.unwrap(), None, "{damage}");
        copy.apply(first()).await.unwrap();
        assert_is_first(&copy).await;
    }
}

#[tokio::test]
async fn a_backup_of_a_copy_is_a_database_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let copy = filled(&folder.path().join("copy.db")).await;
    let path = folder.path().join("backup.db");
    copy.backup_to(Box::new(fs::File::create(&path).unwrap())).await.unwrap();
    let backup = SqliteStore::open(&path).await.unwrap();
    assert_eq!(SnapshotCopy::position(&backup).await.unwrap(), None);
    assert_eq!(search(&backup, "early").await, [1]);
    publish(&backup, vec![show(1)], &[]).await;
    assert_eq!(backup.snapshot_version().await.unwrap().number, 2);
}
