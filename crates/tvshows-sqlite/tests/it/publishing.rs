//! The published tables, as another program sees them.

use std::path::Path;

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{
    after, at, begin, cast_member, cast_of, pages, publish, running, show, shows, success,
};
use tvshows_core::{Catalog, RunEvent, RunQueue, Show, ShowFilter, ShowId, ShowQuery, Table};
use tvshows_sqlite::SqliteStore;

use tvshows_testkit::dump_tables;

fn text(path: &Path, sql: &str) -> String {
    let connection = Connection::open(path).unwrap();
    connection
        .query_row(sql, [], |row| row.get::<_, Option<String>>(0))
        .unwrap()
        .unwrap_or_default()
}

fn columns(path: &Path, table: &str) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut select = connection.prepare("SELECT name FROM pragma_table_info(?1)").unwrap();
    select.query_map([table], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

#[tokio::test]
async fn the_tables_keep_their_first_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let first = |table: &str, count: usize| columns(&path, table)[..count].join(", ");
    assert_eq!(
        first("All_Shows", 12),
        "id, name, type, language, genres, status, premiered, ended, rating_average, summary, \
         updated, processed_at"
    );
    assert_eq!(
        first("Top_Shows", 7),
        "id, name, language, genres, premiered, rating_average, processed_at"
    );
    assert_eq!(
        first("Top_Shows_Cast", 12),
        "show_id, show_name, person_id, person_name, person_birthday, person_deathday, \
         person_gender, person_country_name, character_id, character_name, image, processed_at"
    );
    assert_eq!(columns(&path, "_Staged_Shows"), columns(&path, "All_Shows"));
    for table in Table::ALL {
        let columns = columns(&path, table.name());
        if table != Table::Runs {
            assert!(table.column_names().eq(&columns), "{table}: {columns:?}");
        }
    }
    assert_eq!(columns(&path, "_Staged_Cast_Rows"), columns(&path, "Show_Cast"));
    assert_eq!(columns(&path, "_Staged_Episodes"), columns(&path, "Episodes"));
}

#[tokio::test]
async fn rows_have_the_documented_forms() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let status = running();
    let session = begin(&store, &status).await;
    session.commit(pages(vec![(0, vec![show(1), show(2)])], at(2)), &status).await.unwrap();
    let cast = vec![cast_member(2, 9, 5), cast_member(2, 8, 4)];
    session.commit(cast_of(&show(2), cast, at(3)), &status).await.unwrap();
    let cast = vec![cast_member(1, 7, 3)];
    session.commit(cast_of(&show(1), cast, at(3)), &status).await.unwrap();
    session.publish(&[ShowId(2), ShowId(1)], &[], at(4), success(&status)).await.unwrap();

    assert_eq!(text(&path, "SELECT genres FROM All_Shows"), "Drama,Action");
    assert_eq!(text(&path, "SELECT processed_at FROM All_Shows"), "2026-11-22T10:00:02Z");
    assert_eq!(text(&path, "SELECT typeof(rating_average) FROM All_Shows"), "real");
    assert_eq!(text(&path, "SELECT network FROM All_Shows"), "");
    assert_eq!(
        text(&path, "SELECT group_concat(id) FROM (SELECT id FROM Top_Shows ORDER BY rank)"),
        "2,1"
    );
    assert_eq!(text(&path, "SELECT group_concat(character_id) FROM Top_Shows_Cast"), "5,4,3");
    assert_eq!(text(&path, "SELECT count(*) || '' FROM _Staged_Shows"), "0");
    assert_eq!(text(&path, "SELECT state FROM Runs"), "succeeded");
}

#[tokio::test]
async fn a_publish_that_fails_half_way_changes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, vec![show(1)], &[1]).await;
    let before = dump_tables(&path);

    let second = running();
    let session = begin(&store, &second).await;
    session.commit(pages(vec![(0, vec![show(2)])], at(12)), &second).await.unwrap();
    let unknown = [ShowId(2), ShowId(99)];
    session.publish(&unknown, &[], at(13), success(&second)).await.unwrap_err();
    assert_eq!(dump_tables(&path), before);
    assert_eq!(store.get(second.request_id).await.unwrap(), Some(second.clone()));

    let failed = after(&second, RunEvent::Failed("show 99 is not staged".into()));
    store.finish_unpublished(&failed).await.unwrap();
    assert_eq!(dump_tables(&path), before);
    begin(&store, &running()).await;
}

#[tokio::test]
async fn a_reader_keeps_its_snapshot_while_a_run_publishes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let reader = Connection::open(&path).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = |connection: &Connection| -> u32 {
        connection.query_row("SELECT count(*) FROM All_Shows", [], |row| row.get(0)).unwrap()
    };
    assert_eq!(count(&reader), 0);
    publish(&store, vec![show(1), show(2)], &[]).await;
    assert_eq!(count(&reader), 0, "the snapshot of its transaction");
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(&reader), 2);
}

/// Users may add such objects to the file.
#[tokio::test]
async fn what_others_have_made_around_the_shows_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let theirs = Connection::open(&path).unwrap();
    theirs.pragma_update(None, "foreign_keys", false).unwrap();
    theirs
        .execute_batch(
            "CREATE INDEX By_Name ON All_Shows (name);
             CREATE VIEW Names AS SELECT name FROM All_Shows;
             CREATE TABLE Renamed (id);
             CREATE TRIGGER On_Rename AFTER UPDATE OF name ON all_shows
                 BEGIN INSERT INTO Renamed VALUES (new.id); END;
             CREATE TABLE Watched (id REFERENCES All_Shows (id) ON DELETE CASCADE);
             CREATE TABLE Seen (id REFERENCES All_Shows (id));
             INSERT INTO Watched VALUES (7);
             INSERT INTO Seen VALUES (7);",
        )
        .unwrap();
    let objects = || {
        text(&path, "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema ORDER BY name)")
    };
    let before = objects();
    for round in [1, 2] {
        publish(&store, vec![show(round), show(7)], &[]).await;
        assert_eq!(objects(), before);
        let names = "SELECT count(*) || '' FROM Names";
        assert_eq!(text(&path, names), "2");
        let indexed = "SELECT count(*) || '' FROM All_Shows INDEXED BY By_Name WHERE name > ''";
        assert_eq!(text(&path, indexed), "2");
    }
    assert_eq!(text(&path, "SELECT count(*) || '' FROM Watched JOIN Seen USING (id)"), "1");
    theirs.execute_batch("UPDATE All_Shows SET name = 'Y' WHERE id = 7").unwrap();
    assert_eq!(text(&path, "SELECT id || '' FROM Renamed"), "7");
}

#[tokio::test]
async fn a_show_that_is_staged_twice_has_the_later_of_the_newest_versions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    let status = running();
    let session = begin(&store, &status).await;
    for (updated, name) in [(5, "first"), (6, "newer"), (6, "as new"), (4, "older")] {
        let show = Show { updated: Some(updated), name: name.into(), ..show(1) };
        session.commit(pages(vec![(0, vec![show])], at(2)), &status).await.unwrap();
    }
    session.publish(&[], &[], at(3), success(&status)).await.unwrap();
    assert_eq!(text(&path, "SELECT name FROM All_Shows"), "as new");
}

#[tokio::test]
async fn lists_and_plans_know_what_others_write() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, vec![show(1), show(2), show(3)], &[]).await;
    let theirs = Connection::open(&path).unwrap();
    theirs
        .execute_batch(
            "DELETE FROM All_Shows WHERE id = 1;
             UPDATE All_Shows SET updated = 5, name = 'Z' WHERE id = 2;
             INSERT OR REPLACE INTO All_Shows (id, name, genres, processed_at)
                 VALUES (4, 'A', '', '2026-11-22T10:00:02Z');",
        )
        .unwrap();
    let published = store.manifest().await.unwrap();
    assert_eq!(published.shows.keys().map(|id| id.0).collect::<Vec<_>>(), [2, 3, 4]);
    assert_eq!(published.shows[&ShowId(2)].updated(), Some(5));
    let (filter, sort) = (ShowFilter::default(), "name".parse().unwrap());
    let query = ShowQuery { filter, sort, limit: 10, ..ShowQuery::default() };
    let names: Vec<_> =
        store.shows(query).await.unwrap().shows.into_iter().map(|show| show.name).collect();
    assert_eq!(names, ["A", &show(3).name, "Z"]);
}

async fn search(store: &SqliteStore, text: &str) -> Vec<u32> {
    let filter = ShowFilter { text: text.parse().ok(), ..ShowFilter::default() };
    let query = ShowQuery { filter, limit: 10, ..ShowQuery::default() };
    store.shows(query).await.unwrap().shows.into_iter().map(|show| show.id.0).collect()
}

fn named(id: u32, name: &str) -> Show {
    Show { name: name.into(), ..show(id) }
}

#[tokio::test]
async fn a_show_that_somebody_deleted_comes_back_and_is_not_found_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for name in ["Early", "Late"] {
        Connection::open(&path).unwrap().execute("DELETE FROM All_Shows", []).unwrap();
        publish(&store, vec![named(1, name)], &[]).await;
    }
    assert!(search(&store, "early").await.is_empty());
    assert_eq!(search(&store, "late").await, [1]);
}

/// The index needs the old texts to remove a show.
#[tokio::test]
async fn a_search_is_exact_after_another_program_changed_the_shows() {
    let edits = [
        "UPDATE All_Shows SET name = 'Edited' WHERE id = 1",
        "DELETE FROM All_Shows WHERE id = 1",
        "INSERT OR REPLACE INTO All_Shows (id, name, genres, processed_at)
             VALUES (1, 'Edited', '', '2026-11-22T10:00:02Z')",
        "UPDATE All_Shows SET id = 9 WHERE id = 1",
    ];
    for edit in edits {
        for is_incremental in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("tvshows.db");
            let store = SqliteStore::open(&path).await.unwrap();
            publish(&store, vec![named(1, "Original"), named(2, "Other")], &[]).await;
            Connection::open(&path).unwrap().execute(edit, []).unwrap();

            let status = running();
            let session = begin(&store, &status).await;
            let batch = if is_incremental {
                session.start_incremental().await.unwrap();
                shows(vec![named(1, "Later")], at(12))
            } else {
                pages(vec![(0, vec![named(1, "Later"), named(2, "Other")])], at(12))
            };
            session.commit(batch, &status).await.unwrap();
            session.publish(&[], &[], at(13), success(&status)).await.unwrap();
            for (text, found) in [("later", [1].as_slice()), ("other", &[2]), ("original", &[])] {
                let ids = search(&store, text).await;
                let ids: Vec<_> = ids.into_iter().filter(|id| *id != 9).collect();
                assert_eq!(ids, found, "{text} after {edit}");
            }
            let defects = store.integrity_check().await.unwrap();
            assert!(defects.is_empty(), "{defects:?} after {edit}");
        }
    }
}

#[tokio::test]
async fn a_search_is_exact_after_many_publishes() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    for round in 1..=5 {
        let shows = (round..round + 4).map(|id| named(id, &format!("Round{}", round + id % 2)));
        publish(&store, shows.collect(), &[]).await;
    }
    // The last round published 5 to 8.
    assert_eq!(search(&store, "round5").await, [6, 8]);
    assert_eq!(search(&store, "round6").await, [5, 7]);
    for gone in ["round1", "round2", "round3", "round4"] {
        assert!(search(&store, gone).await.is_empty(), "{gone}");
    }
}

/// Time passes only while something waits, so a check remains valid until something waits for its end.
#[tokio::test(start_paused = true)]
async fn no_process_reads_an_older_snapshot_than_any_has_reported() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let [store, other, third] = [
        SqliteStore::open(&path).await.unwrap(),
        SqliteStore::open(&path).await.unwrap(),
        SqliteStore::open(&path).await.unwrap(),
    ];
    let number = async |store: &SqliteStore| store.snapshot_version().await.unwrap().number;
    for (published, id) in (1..4).zip(1..) {
        // Twice, because the first one reads the version, and the second one checks it.
        for _ in 0..2 {
            assert_eq!([number(&store).await, number(&other).await], [published - 1; 2]);
        }
        publish(&store, vec![show(id)], &[]).await;
        assert_eq!([number(&store).await, number(&other).await], [published; 2]);
    }
    assert_eq!(number(&other).await, 3);
    let connection = Connection::open(&path).unwrap();
    connection.execute_batch("UPDATE _Snapshot_Version SET number = 4").unwrap();
    assert_eq!(number(&other).await, 3, "nothing has been reported yet");
    third.list(1).await.unwrap();
    assert_eq!(number(&other).await, 4);
}
