//! Episodes and casts in a file.

use std::fs;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex};

use jiff::civil::date;
use proptest::prelude::*;
use proptest::sample::select;
use rusqlite::Connection;
use serde_json::{Map, Value, json};
use tokio::runtime::Runtime;
use tvshows_core::conformance::Store;
use tvshows_core::conformance::fixtures::{
    after, at, begin, cast_member, details_of, episode, pages, running, show, success,
};
use tvshows_core::memory::MemoryStore;
use tvshows_core::{
    CastMember, Catalog, CellValue, DetailsCatalog, Episode, RowWriter, RunEvent, RunQueue,
    ScheduleQuery, Show, ShowFilter, ShowId, Table,
};
use tvshows_sqlite::SqliteStore;

/// Publishes shows with their casts and episodes. The first one is the top show.
async fn publish_details(
    store: &impl Store,
    shows: Vec<(Show, Vec<CastMember>, Vec<Episode>)>,
    second: i64,
) {
    let status = running();
    let session = begin(store, &status).await;
    let ids: Vec<ShowId> = shows.iter().map(|(show, ..)| show.id).collect();
    let all = shows.iter().map(|(show, ..)| show.clone()).collect();
    session.commit(pages(vec![(0, all)], at(second)), &status).await.unwrap();
    for (show, cast, episodes) in shows {
        let batch = details_of(&show, cast, Some(episodes), at(second));
        session.commit(batch, &status).await.unwrap();
    }
    session.publish(&ids[..1], &ids, at(second), success(&status)).await.unwrap();
}

fn two_shows() -> Vec<(Show, Vec<CastMember>, Vec<Episode>)> {
    [1, 2]
        .map(|id| {
            let cast = vec![cast_member(id, 7, 5), cast_member(id, 8, 4)];
            let episodes = vec![episode(id, 1, "2026-11-23"), episode(id, 2, "2026-11-30")];
            (show(id), cast, episodes)
        })
        .into()
}

fn texts(path: &Path, sql: &str) -> Vec<String> {
    let connection = Connection::open(path).unwrap();
    let mut select = connection.prepare(sql).unwrap();
    select.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
}

/// A value of any type for a key of an object that TVmaze sends.
fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::from),
        (-1e9..1e9).prop_map(Value::from),
        ".{0,8}".prop_map(Value::from),
        any::<bool>().prop_map(Value::from),
        Just(json!([])),
        prop::collection::btree_map(
            select(vec!["average", "medium", "original", "name", "id", "x"]),
            prop_oneof![Just(json!(null)), Just(json!(7)), Just(json!(7.5)), Just(json!("7"))],
            0..3
        )
        .prop_map(|object| json!(object)),
    ]
}

fn object(keys: &'static [&'static str]) -> impl Strategy<Value = Map<String, Value>> {
    let entries = prop::collection::btree_map(select(keys), value(), 0..keys.len());
    entries.prop_map(|entries| {
        entries.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
    })
}

fn episode_of(object: &Map<String, Value>) -> Episode {
    let text = |pointer: &str| {
        Value::Object(object.clone()).pointer(pointer).and_then(Value::as_str).map(str::to_owned)
    };
    let integer = |key: &str| object.get(key).and_then(Value::as_i64);
    let id = integer("id").and_then(|id| u32::try_from(id).ok()).unwrap_or(1);
    let received = object.clone().into_iter().chain([("id".to_owned(), json!(id))]).collect();
    let episode = Episode {
        id,
        show_id: ShowId(1),
        season: integer("season"),
        number: integer("number"),
        kind: text("/type"),
        name: text("/name"),
        airdate: text("/airdate"),
        airtime: text("/airtime"),
        airstamp: text("/airstamp"),
        runtime: integer("runtime"),
        rating_average: Value::Object(object.clone())
            .pointer("/rating/average")
            .and_then(Value::as_f64),
        summary: text("/summary"),
        image_medium: text("/image/medium"),
        image_original: text("/image/original"),
        url: text("/url"),
        extra: Map::new(),
    };
    episode.with_remainder_of(received)
}

fn member_of(person: &Map<String, Value>, object: &Map<String, Value>) -> CastMember {
    let mut received = object.clone();
    received.insert("person".into(), json!(person));
    received["person"]["id"] = json!(9);
    received.insert("character".into(), json!({"id": 8, "name": "C", "new": [object]}));
    let text = |key: &str| person.get(key).and_then(Value::as_str).map(str::to_owned);
    let member = CastMember {
        person_id: 9,
        person_name: text("name").unwrap_or_default(),
        person_birthday: text("birthday"),
        person_deathday: text("deathday"),
        person_gender: text("gender"),
        person_country_name: None,
        character_id: 8,
        character_name: "C".into(),
        plays_self: received.get("self").and_then(Value::as_bool),
        voice: received.get("voice").and_then(Value::as_bool),
        ..cast_member(1, 9, 8)
    };
    member.with_remainder_of(received)
}

const EPISODE_KEYS: &[&str] = &[
    "id", "url", "name", "season", "number", "type", "airdate", "airtime", "airstamp", "runtime",
    "rating", "image", "summary", "_links", "new",
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn the_objects_of_tvmaze_are_read_as_they_were_staged(
        episodes in prop::collection::vec(object(EPISODE_KEYS), 0..12),
        cast in prop::collection::vec(
            (
                object(&["name", "country", "birthday", "deathday", "gender", "image", "new"]),
                object(&["self", "voice", "new"]),
            ),
            0..12,
        ),
    ) {
        let episodes: Vec<_> = episodes.iter().map(episode_of).collect();
        let cast: Vec<_> = cast.iter().map(|(person, rest)| member_of(person, rest)).collect();
        let folder = tempfile::tempdir().unwrap();
        Runtime::new().unwrap().block_on(async {
            let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
            publish_details(&store, vec![(show(1), cast.clone(), episodes.clone())], 2).await;
            let stored = store.episodes(ShowId(1)).await.unwrap().unwrap();
            let objects = |episodes: &[Episode]| -> Vec<_> {
                episodes.iter().map(Episode::to_object).collect()
            };
            assert_eq!(objects(&stored), objects(&episodes));
            assert_eq!(stored, episodes);
            let stored = store.cast(ShowId(1)).await.unwrap().unwrap();
            let stored: Vec<_> = stored.into_iter().map(|row| row.member).collect();
            assert_eq!(stored, cast);
        });
    }

    #[test]
    fn a_schedule_is_that_of_the_reference(
        episodes in prop::collection::vec(
            (1_u32..6, prop::option::of(20_u8..30), prop::option::of(0_u8..24)), 0..40,
        ),
        filters in prop::collection::vec(
            select(vec![
                ("id", "1,3,99"), ("genre", "drama"), ("language", "german"), ("min_rating", "7"), ("q", "show"),
                ("q", "show three"), ("premiered_from", "2030"), ("", ""),
            ]),
            4,
        ),
        first in 19_i8..30,
        days in 0_i8..5,
    ) {
        let shows = (1..6).map(|id| {
            let language = Some(if id % 2 == 0 { "German" } else { "English" }.to_owned());
            let show = Show { language, rating_average: Some(f64::from(id) + 4.0), ..show(id) };
            let episodes = (0..).zip(&episodes).filter(|(_, (of, ..))| *of == id);
            let episodes = episodes.map(|(number, (_, day, hour))| {
                let airdate = day.map(|day| format!("2026-11-{day}"));
                let airstamp = hour.map(|hour| format!("2026-11-25T{hour:02}:00:00+00:00"));
                Episode { airdate, airstamp, ..episode(id, number, "2026-11-01") }
            });
            (show, vec![], episodes.collect())
        });
        let shows: Vec<_> = shows.collect();
        let folder = tempfile::tempdir().unwrap();
        Runtime::new().unwrap().block_on(async {
            let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
            let reference = MemoryStore::default();
            publish_details(&store, shows.clone(), 2).await;
            publish_details(&reference, shows, 2).await;
            for (parameter, value) in filters {
                let mut filter = ShowFilter::default();
                if !parameter.is_empty() {
                    filter.set(parameter, value).unwrap();
                }
                let first = date(2026, 11, first);
                let last = first.checked_add(jiff::Span::new().days(days)).unwrap();
                let query = ScheduleQuery { filter, first, last };
                assert_eq!(
                    store.schedule(query.clone()).await.unwrap(),
                    reference.schedule(query.clone()).await.unwrap(),
                    "{query:?}"
                );
            }
        });
    }
}

#[tokio::test]
async fn a_killed_process_loses_no_details_that_it_staged() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish_details(&store, two_shows(), 2).await;
    let status = running();
    let session = begin(&store, &status).await;
    session.start_incremental().await.unwrap();
    let changed = Show { updated: Some(1_900_000_000), ..show(2) };
    let next = vec![episode(2, 9, "2026-12-01")];
    let staged = details_of(&changed, vec![], Some(next.clone()), at(12));
    session.commit(staged, &status).await.unwrap();

    // The files are those that a process leaves that is killed at this moment.
    let left = folder.path().join("left");
    fs::create_dir(&left).unwrap();
    for name in ["tvshows.db", "tvshows.db-wal"] {
        fs::copy(folder.path().join(name), left.join(name)).unwrap();
    }
    let store = SqliteStore::open(&left.join("tvshows.db")).await.unwrap();
    assert_eq!(store.episodes(ShowId(2)).await.unwrap().unwrap().len(), 2);
    let killed = store.next(&[]).await.unwrap().unwrap().status;
    let resumed = after(&killed, RunEvent::Started);
    let session = begin(&store, &resumed).await;
    let staged = session.staging().await.unwrap().snapshot.details;
    let updated: Vec<_> = staged.values().map(|version| version.updated).collect();
    assert_eq!(updated, [show(1).updated, changed.updated]);
    let ids = [ShowId(1), ShowId(2)];
    session.publish(&ids[..1], &ids, at(20), success(&resumed)).await.unwrap();
    assert_eq!(store.episodes(ShowId(2)).await.unwrap(), Some(next));
    assert_eq!(store.episodes(ShowId(1)).await.unwrap().unwrap().len(), 2);
    assert_eq!(store.integrity_check().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn only_details_that_changed_are_written_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish_details(&store, two_shows(), 2).await;
    let mut shows = two_shows();
    shows[1].0.updated = Some(1_900_000_000);
    shows[1].2[0].name = Some("Renamed".into());
    publish_details(&store, shows, 12).await;
    assert_eq!(store.snapshot_version().await.unwrap().number, 2);
    let times = |table: &str| {
        let sql =
            format!("SELECT show_id || ' ' || substr(processed_at, 18, 2) FROM {table} ORDER BY 1");
        texts(&path, &sql)
    };
    let expected = ["1 02", "1 02", "2 12", "2 12"];
    assert_eq!(times("Episodes"), expected);
    assert_eq!(times("Show_Cast"), expected);
    assert_eq!(times("Top_Shows_Cast"), expected[..2]);
    assert_eq!(times("_Details"), ["1 02", "2 12"]);
    assert_eq!(store.integrity_check().await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn tables_that_contradict_each_other_are_reported() {
    let damages = [
        ("DELETE FROM All_Shows WHERE id = 2", "shows in _Details that are not in All_Shows: 1"),
        (
            "DELETE FROM _Details WHERE show_id = 2",
            "rows of Show_Cast whose show is not in _Details: 2",
        ),
        (
            "UPDATE _Details SET has_episodes = 0 WHERE show_id = 2",
            "rows of Episodes whose show has no episodes in _Details: 2",
        ),
        (
            "DELETE FROM Show_Cast WHERE show_id = 2 AND position = 0",
            "shows that lack rows of Show_Cast: 1",
        ),
        ("DELETE FROM Episodes WHERE position = 0", "shows that lack rows of Episodes: 2"),
        (
            "UPDATE Show_Cast SET character_name = 'X' WHERE show_id = 1 AND position = 0",
            "rows of Top_Shows_Cast that differ from Show_Cast: 2",
        ),
    ];
    for (damage, defect) in damages {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tvshows.db");
        let store = SqliteStore::open(&path).await.unwrap();
        publish_details(&store, two_shows(), 2).await;
        assert_eq!(store.integrity_check().await.unwrap(), [""; 0]);
        Connection::open(&path).unwrap().execute_batch(damage).unwrap();
        let defects = store.integrity_check().await.unwrap();
        assert!(defects.iter().any(|found| found == defect), "{damage}: {defects:?}");
    }
}

/// Collects a column of the exported rows.
struct ColumnWriter(usize, Arc<Mutex<Vec<i64>>>);

impl RowWriter for ColumnWriter {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        let CellValue::Integer(number) = cells[self.0] else {
            return Err(io::Error::other("no number"));
        };
        self.1.lock().unwrap().push(number);
        Ok(())
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn an_episode_is_found_by_an_index() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    SqliteStore::open(&path).await.unwrap().close().await;
    let sql = "EXPLAIN QUERY PLAN SELECT * FROM Episodes WHERE id = 1 ORDER BY show_id LIMIT 1";
    let connection = Connection::open(&path).unwrap();
    let plan: Vec<String> = connection
        .prepare(sql)
        .unwrap()
        .query_map([], |row| row.get(3))
        .unwrap()
        .collect::<Result<_, _>>()
        .unwrap();
    assert_eq!(plan, ["SEARCH Episodes USING INDEX _Episodes_Id (id=?)"]);
}

#[tokio::test]
async fn exports_are_in_the_order_of_the_shows() {
    let folder = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
    publish_details(&store, two_shows(), 2).await;
    let mut shows = two_shows();
    shows[0].1.swap(0, 1);
    shows[0].2.swap(0, 1);
    publish_details(&store, shows, 3).await;
    let exports = [
        (Table::Episodes, "id", [1002, 1001, 2001, 2002]),
        (Table::ShowCast, "character_id", [4, 5, 5, 4]),
    ];
    for (table, column, expected) in exports {
        let column = table.column_names().position(|name| name == column).unwrap();
        let ids = Arc::<Mutex<Vec<i64>>>::default();
        let writer = ColumnWriter(column, Arc::clone(&ids));
        let rows = Box::new(|dates: Vec<&str>| {
            assert!(!dates.is_empty(), "all dates are calendar days");
            Ok(Box::new(writer) as Box<dyn RowWriter>)
        });
        store.export(table, ShowFilter::default(), rows).await.unwrap();
        assert_eq!(*ids.lock().unwrap(), expected);
    }
}
