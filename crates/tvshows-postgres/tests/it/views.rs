use serde_json::json;
use tvshows_core::conformance::fixtures::{after, at, pages, running, show};
use tvshows_core::{RawJson, RunEvent, RunQueue, Table};

use crate::support::{TestStore, begin, publish};

async fn columns(store: &TestStore, view: &str) -> Vec<String> {
    let sql = format!(
        "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute \
         WHERE attrelid = '\"{view}\"'::regclass AND attnum > 0"
    );
    store.psql(&sql).await.split(',').map(str::to_owned).collect()
}

#[tokio::test]
async fn each_table_is_a_view_under_both_spellings() {
    let store = TestStore::new().await;
    for table in Table::ALL {
        let expected: Vec<_> = table.column_names().map(str::to_owned).collect();
        assert_eq!(columns(&store, table.name()).await, expected);
        assert_eq!(columns(&store, &table.to_string()).await, expected);
    }
    for view in ["Show_Genres", "Show_Days", "Shows_Flat"] {
        assert_eq!(columns(&store, view).await, columns(&store, &view.to_lowercase()).await);
    }
}

#[tokio::test]
async fn views_have_what_is_published_and_nothing_that_is_staged() {
    let store = TestStore::new().await;
    publish(&store, vec![show(1), show(2)], &[2]).await;
    let status = running();
    let session = begin(&store, &status).await;
    let mut changed = show(2);
    changed.name = "Changed".into();
    session.commit(pages(vec![(0, vec![changed, show(3)])], at(9)), &status).await.unwrap();
    assert_eq!(store.psql("SELECT count(*) FROM All_Shows").await, "2");
    assert_eq!(store.psql("SELECT count(*) FROM \"All_Shows\" WHERE name = 'Changed'").await, "0");
    let top = "SELECT id, rank, processed_at = '2026-11-22T10:00:04Z' FROM Top_Shows";
    assert_eq!(store.psql(top).await, "2|1|t");
    let cast = "SELECT show_id, person_name, position, self FROM Top_Shows_Cast";
    assert_eq!(store.psql(cast).await, "2|Person 1|0|f");
    let runs = "SELECT state, step, attempt, instance FROM Runs ORDER BY sequence";
    assert_eq!(store.psql(runs).await, "succeeded|Completed|1|here\nrunning|Planning|1|here");
}

#[tokio::test]
async fn a_user_with_a_grant_can_read_and_not_write() {
    let store = TestStore::new().await;
    publish(&store, vec![show(1)], &[]).await;
    store.psql("CREATE ROLE analyst; GRANT SELECT ON all_shows TO analyst").await;
    assert_eq!(store.psql("SET ROLE analyst; SELECT id FROM all_shows").await, "1");
    let denied = "SET ROLE analyst; DO $$ BEGIN PERFORM 1 FROM _show_versions; \
         EXCEPTION WHEN insufficient_privilege THEN RAISE NOTICE 'denied'; RETURN; END $$; SELECT 1";
    assert_eq!(store.psql(denied).await, "1");
    let updatable = "SELECT string_agg(table_name, ',') FROM information_schema.tables \
         WHERE table_schema = 'public' AND table_type = 'VIEW' AND is_insertable_into = 'YES'";
    assert_eq!(store.psql(updatable).await, "", "views are read-only even for the owner");
}

#[tokio::test]
async fn values_inside_json_are_columns_whatever_the_json_is() {
    let store = TestStore::new().await;
    let mut full = show(1);
    let json = |text: &str| Some(RawJson::parse(text.to_owned()).unwrap());
    full.network = json(
        r#"{"id": 8, "name": "HBO \ud83d\ude00", "country": {"name": "Kosovo", "code": "XK"}}"#,
    );
    full.schedule =
        Some(RawJson::from_value(&json!({"time": "", "days": ["Monday", "Friday", ""]})).unwrap());
    full.image = json(r#"{"medium": "m", "original": "o"}"#);
    let mut odd: Vec<_> = [
        r#"{"name": "\u0000"}"#,
        r#"{"name": "\ud83d"}"#,
        r#"{"name": "\\\ude00"}"#,
        r#"{"name": "\\ud83d\ude00"}"#,
        r#"{"name": "\uD83D\uD83D\uDE00"}"#,
        "[1]",
        "\"text\"",
        "5",
        "null",
        r#"{"id": "x", "name": {"a": 1}, "country": [], "days": {}, "time": 3}"#,
        r#"{"id": 99999999999999999999, "days": [1, null, "Monday"]}"#,
    ]
    .into_iter()
    .zip(2..)
    .map(|(text, id)| {
        let mut show = show(id);
        for field in [&mut show.network, &mut show.web_channel, &mut show.schedule, &mut show.image]
        {
            *field = json(text);
        }
        show.externals = json(text);
        show.dvd_country = json(text);
        show
    })
    .collect();
    odd.push(full);
    publish(&store, odd, &[]).await;
    let first = "SELECT network_id, network_name, network_country, network_country_code, schedule_time IS NULL, \
                 schedule_days, imdb, thetvdb, image_original FROM shows_flat WHERE id = 1";
    assert_eq!(store.psql(first).await, "8|HBO \u{1f600}|Kosovo|XK|t|Monday,Friday|tt1|5|o");
    assert_eq!(store.psql("SELECT count(*), count(network_id) FROM Shows_Flat").await, "12|1");
    let escaped = "SELECT count(network_name) FROM shows_flat WHERE id BETWEEN 2 AND 6";
    assert_eq!(store.psql(escaped).await, "0");
    assert_eq!(store.psql("SELECT count(*) FROM Show_Genres WHERE genre = 'Drama'").await, "12");
    let days = "SELECT string_agg(show_id || day, ',' ORDER BY show_id, day) FROM Show_Days";
    assert_eq!(store.psql(days).await, "1Friday,1Monday,12Monday");
}

#[tokio::test]
async fn a_run_with_any_error_is_in_the_view() {
    let store = TestStore::new().await;
    let failed = after(&running(), RunEvent::Failed("a\0b \\u0000".into()));
    store.save_status(&failed).await.unwrap();
    let seen = store.psql("SELECT error, finished_at IS NULL FROM runs").await;
    assert!(seen.starts_with("a\u{2400}b") && seen.ends_with("|f"), "{seen}");
    assert_eq!(store.get(failed.request_id).await.unwrap(), Some(failed));
}
