//! Files with earlier schemas, and the compatibility of the current schema with other SQLite versions.

use std::path::Path;
use std::process::Command;

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{WITH_LEASE, after, at, begin, publish, show, success};
use tvshows_core::{
    Catalog, DetailsCatalog, ExternalDatabase, ExternalId, RunEvent, RunLock, RunQueue, RunState,
    Show, ShowFilter, ShowId, ShowQuery,
};
use tvshows_sqlite::SqliteStore;

/// Opens a file that an earlier version has written.
async fn open(path: &Path, dump: &str) -> SqliteStore {
    Connection::open(path).unwrap().execute_batch(dump).unwrap();
    let store = SqliteStore::open(path).await.unwrap();
    assert!(store.integrity_check().await.unwrap().is_empty());
    store
}

async fn search(store: &SqliteStore, text: &str) -> Vec<u32> {
    let filter = ShowFilter { text: text.parse().ok(), ..ShowFilter::default() };
    let query = ShowQuery { filter, limit: 100, ..ShowQuery::default() };
    store.shows(query).await.unwrap().shows.into_iter().map(|show| show.id.0).collect()
}

#[tokio::test]
async fn a_file_of_schema_1_keeps_its_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = open(&path, include_str!("../fixtures/schema-1.sql")).await;
    assert_eq!(store.show(ShowId(7).into()).await.unwrap().unwrap().name, "Old");
    let run = store.list(1).await.unwrap().remove(0);
    assert_eq!((run.state, run.shows_seen, run.changes.added), (RunState::Succeeded, 1, 0));
    assert_eq!((run.trigger, run.steps.len()), (None, 0));
    let published = store.manifest().await.unwrap();
    assert_eq!(published.shows[&ShowId(7)].updated(), Some(5));
    assert!(published.pages.is_empty(), "so that every page is due");
    assert_eq!(published.details[&ShowId(7)].updated, None, "so that its cast is fetched again");
    assert_eq!(store.snapshot_version().await.unwrap().number, 1, "what is there is a snapshot");
    assert_eq!(search(&store, "old").await, [7], "it is searched as well");
}

#[tokio::test]
async fn a_file_of_schema_2_keeps_its_rows_and_its_killed_run_resumes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = open(&path, include_str!("../fixtures/schema-2.sql")).await;
    let published = store.manifest().await.unwrap();
    assert_eq!((published.shows.len(), published.pages.len()), (14, 1));
    let top = store.top_shows(10).await.unwrap();
    assert_eq!((top.len(), top[0].name.as_str()), (1, "Bergen Letters: The Eriksen Detective"));

    let runs = store.list(10).await.unwrap();
    let states: Vec<_> = runs.iter().map(|run| run.state).collect();
    assert_eq!(states, [RunState::Interrupted, RunState::Failed, RunState::Succeeded]);
    assert!(runs[1].error.as_ref().unwrap().contains("stopped"), "it could not resume then");
    let killed = store.next(&[]).await.unwrap().unwrap().status;
    assert_eq!(killed, runs[0]);
    let session = begin(&store, &after(&killed, RunEvent::Started)).await;
    let staged = session.staging().await.unwrap();
    assert_eq!((staged.pages.len(), staged.snapshot.shows.len()), (1, 14));
}

#[tokio::test]
async fn a_killed_run_of_schemas_3_to_5_resumes_with_what_it_staged() {
    let dumps = [
        (3, include_str!("../fixtures/schema-3.sql")),
        (4, include_str!("../fixtures/schema-4.sql")),
        (5, include_str!("../fixtures/schema-5.sql")),
    ];
    for (schema, dump) in dumps {
        let is_incremental = schema == 5;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tvshows.db");
        let store = open(&path, dump).await;
        assert_eq!(store.manifest().await.unwrap().shows.len(), 14);
        assert_eq!(store.snapshot_version().await.unwrap().number, 1);
        assert_eq!(store.stats().await.unwrap().tables.all_shows, 14);
        assert_eq!(store.cast(ShowId(2)).await.unwrap().unwrap().len(), 8);
        assert_eq!(search(&store, "port alder neighbor").await, [1]);
        assert_eq!(search(&store, "shipping family").await, [14], "in a summary");
        assert_eq!(search(&store, "p b").await, [0; 0], "not in its HTML");
        assert_eq!(store.database_id().await.unwrap().len(), 32);

        let states: Vec<_> = store.list(10).await.unwrap().iter().map(|run| run.state).collect();
        let states_then =
            [RunState::Queued, RunState::Interrupted, RunState::Failed, RunState::Succeeded];
        assert_eq!(states, states_then, "schema {schema}");
        let next = store.next(&[]).await.unwrap().unwrap();
        assert_eq!((next.ownership, next.status.attempt), (WITH_LEASE, 2));
        assert_eq!(next.stalled_attempts, 1);
        let resumed = after(&next.status, RunEvent::Started);
        let session = begin(&store, &resumed).await;
        let staged = session.staging().await.unwrap();
        assert_eq!(staged.is_incremental, is_incremental);
        assert_eq!(staged.pages.len(), 1);
        let shows = if is_incremental { 13 } else { 14 };
        assert_eq!(session.staged_show_count().await.unwrap(), shows);
        assert_eq!(staged.snapshot.shows.len(), usize::try_from(shows).unwrap());
        assert_eq!(staged.snapshot.details.len(), usize::from(is_incremental));

        let done = session.publish(&[ShowId(2)], &[], at(9), success(&resumed)).await.unwrap();
        let expected = if is_incremental { (0, 1, 1, 12) } else { (0, 0, 0, 14) };
        assert_eq!(
            (
                done.changes.added,
                done.changes.changed,
                done.changes.deleted,
                done.changes.unchanged
            ),
            expected
        );
        assert_eq!(store.cast(ShowId(2)).await.unwrap().unwrap().len(), 8);
        let renamed: &[u32] = if is_incremental { &[1] } else { &[] };
        assert_eq!(search(&store, "renamed while staged").await, renamed);
        let fifteen: &[u32] = if is_incremental { &[] } else { &[15] };
        assert_eq!(search(&store, "forest 9941").await, fifteen);
        assert!(store.integrity_check().await.unwrap().is_empty());
        store.release("here").await;
    }
}

#[tokio::test]
async fn a_file_of_schema_7_gets_views_lookups_and_searches_without_punctuation() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = open(&path, include_str!("../fixtures/schema-7.sql")).await;
    assert_eq!(search(&store, "oxbowsummer").await, [1]);
    assert_eq!(search(&store, "oxbow summer").await, [1]);
    let imdb = ExternalId::parse(ExternalDatabase::Imdb, "tt1660687").unwrap();
    assert_eq!(store.show(imdb.into()).await.unwrap().unwrap().id, ShowId(5));
    let snapshot = store.snapshot_version().await.unwrap();
    assert_eq!(snapshot.number, 1, "what is published did not change");

    let named = |id, name: &str| Show { name: name.into(), ..show(id) };
    publish(&store, vec![named(1, "Oxbow Summer"), named(5, "S.W.A.T.")], &[]).await;
    assert_eq!(search(&store, "oxbowsummer").await, [0; 0]);
    assert_eq!(search(&store, "swat").await, [5]);
    store.close().await;
    let connection = Connection::open(&path).unwrap();
    let tables =
        "SELECT count(*) FROM sqlite_schema WHERE name LIKE '\\_Show\\_Search%' ESCAPE '\\'";
    let tables: u32 = connection.query_row(tables, [], |row| row.get(0)).unwrap();
    assert_eq!(tables, 0, "words are indexed in memory");
    let tvrage = "SELECT group_concat(tvrage) FROM Shows_Flat WHERE network_name IS NOT NULL";
    connection.query_row(tvrage, [], |row| row.get::<_, Option<String>>(0)).unwrap();
}

/// All other tables, views, indexes and triggers are internal.
#[tokio::test]
async fn names_of_internal_objects_start_with_an_underscore() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, vec![show(1)], &[1]).await;
    store.close().await;
    let connection = Connection::open(&path).unwrap();
    let mut select = connection
        .prepare(
            "SELECT name FROM sqlite_schema \
             WHERE name NOT LIKE '\\_%' ESCAPE '\\' AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name",
        )
        .unwrap();
    let public: Vec<String> =
        select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
    let tables = ["All_Shows", "Episodes", "Runs", "Show_Cast", "Top_Shows", "Top_Shows_Cast"];
    let views = ["Show_Days", "Show_Genres", "Shows_Flat"];
    let mut expected = [&tables[..], &views].concat();
    expected.sort_unstable();
    assert_eq!(public, expected);
}

/// Debian 12 has SQLite 3.40 and Ubuntu 22.04 has 3.37.
#[tokio::test]
async fn the_schema_needs_no_more_than_sqlite_3_37() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let connection = Connection::open(&path).unwrap();
    let mut select =
        connection.prepare("SELECT sql FROM sqlite_schema WHERE sql NOT NULL").unwrap();
    let statements = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for statement in statements.map(Result::unwrap) {
        let lowercase = statement.to_lowercase().replace("group_concat(", "");
        // A function of this program, then features of later SQLite versions.
        for feature in [
            "plain_text",
            "->",
            "unixepoch",
            "format(",
            "is distinct",
            "is not distinct",
            "right join",
            "full join",
            "unhex",
            "contentless_delete",
            "contentless_unindexed",
            "timediff",
            "octet_length",
            "concat",
            "string_agg",
            "jsonb",
            "median",
            "percentile",
            "tokendata",
            "locale",
            "unistr",
        ] {
            assert!(!lowercase.contains(feature), "{feature} in {statement}");
        }
    }
}

/// Runs the system's `sqlite3` program, if it is installed.
fn system_sqlite(path: &Path, sql: &str) -> Option<String> {
    let output = Command::new("sqlite3").arg("-bail").arg(path).arg(sql).output().ok()?;
    assert!(output.status.success(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    assert!(output.stderr.is_empty(), "{sql}: {}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

#[tokio::test]
async fn the_sqlite_of_this_system_reads_counts_and_changes_every_table() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, vec![show(1), show(2)], &[1]).await;
    store.close().await;
    let names = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY name";
    let Some(names) = system_sqlite(&path, names) else { return };
    assert!(names.lines().any(|name| name == "_Show_Versions"), "{names}");
    let run = |sql: &str| system_sqlite(&path, sql).unwrap();
    for name in names.lines() {
        let count = run(&format!("SELECT count(*) FROM \"{name}\""));
        let rows = run(&format!("SELECT 'row' FROM (SELECT * FROM \"{name}\")"));
        assert_eq!(count.trim().parse(), Ok(rows.lines().count()), "{name}");
    }
    assert_eq!(run("PRAGMA integrity_check").trim(), "ok");
    run("UPDATE All_Shows SET name = 'Edited' WHERE id = 1; DELETE FROM All_Shows WHERE id = 2");
    assert_eq!(run("SELECT id FROM _Show_Versions").trim(), "1");
    run("VACUUM");
}
