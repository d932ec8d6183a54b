//! A mirror whose upstream is another mirror.

use rusqlite::types::Value;
use tvmaze_sim::Dataset;
use tvshows_testkit::{Service, TestEnv};

const TABLES: [&str; 5] = ["All_Shows", "Top_Shows", "Top_Shows_Cast", "Episodes", "Show_Cast"];

/// The rows of the published tables, without the time at which they were fetched.
fn rows(env: &TestEnv) -> Vec<(&'static str, Vec<Vec<Value>>)> {
    let connection = env.connection();
    let table = |table: &'static str| {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<_> = (0..select.column_count())
            .filter(|column| select.column_name(*column).unwrap() != "processed_at")
            .collect();
        let row = |row: &rusqlite::Row<'_>| columns.iter().map(|column| row.get(*column)).collect();
        let rows = select.query_map([], row).unwrap().collect::<Result<_, _>>().unwrap();
        (table, rows)
    };
    TABLES.into_iter().map(table).collect()
}

fn assert_equal(first: &TestEnv, second: &TestEnv) {
    let (first, second) = (rows(first), rows(second));
    for ((table, first), (_, second)) in first.iter().zip(&second) {
        assert_eq!(first.len(), second.len(), "{table}");
        for (first, second) in first.iter().zip(second) {
            assert_eq!(first, second, "{table}");
        }
    }
}

/// How many requests for `/tvmaze` a service has responded to.
async fn requests(service: &Service) -> u64 {
    let metrics = service.get("/metrics").send().await.unwrap().text().await.unwrap();
    let is_count = |line: &&str| {
        line.starts_with("tvshows_http_requests_total{") && line.contains("route=\"/tvmaze")
    };
    let counts = metrics.lines().filter(is_count).filter_map(|line| line.rsplit_once(' '));
    counts.map(|(_, count)| count.parse::<u64>().unwrap()).sum()
}

async fn update(env: &TestEnv, upstream: &str, details: &str) {
    let mut update = env.tvshows(&["update", "--details", details]);
    let output = update.env("TVMAZE_BASE_URL", upstream).output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Mirrors a mirror, twice, and once more after a change.
async fn mirrors_are_equal(details: &str) {
    let first = TestEnv::new(&[]).await;
    update(&first, &first.simulator.base_url(), details).await;
    let service = Service::start(&first, &[]).await;
    let upstream = format!("{}/tvmaze", service.base_url);
    let second = TestEnv::new(&[]).await;
    update(&second, &upstream, details).await;
    assert_equal(&first, &second);
    assert!(rows(&first).iter().all(|(table, rows)| *table == "Episodes" || !rows.is_empty()));

    let before = requests(&service).await;
    update(&second, &upstream, details).await;
    assert_eq!(requests(&service).await - before, 1, "nothing changed");

    let changed: Vec<u32> = (1..60).map(|n| 37 * n).collect();
    first.simulator.set_dataset(Dataset::synthetic_with_changes(2300, 1, &changed));
    update(&first, &first.simulator.base_url(), details).await;
    update(&second, &upstream, details).await;
    assert_equal(&first, &second);
    assert_eq!(second.simulator.request_count(), 0, "TVmaze itself was never asked");
}

#[tokio::test]
async fn the_second_mirror_equals_the_first() {
    mirrors_are_equal("top").await;
}

#[tokio::test]
async fn the_second_mirror_has_the_same_details() {
    mirrors_are_equal("status=Running&min_rating=7").await;
}

#[tokio::test]
async fn details_that_the_first_mirror_lacks_fail_the_run_of_the_second() {
    let first = TestEnv::published().await;
    let service = Service::start(&first, &[]).await;
    let second = TestEnv::new(&[]).await;
    let mut update = second.tvshows(&["update", "--details", "id=1,2,3,4,5"]);
    let upstream = format!("{}/tvmaze", service.base_url);
    let output = update.env("TVMAZE_BASE_URL", &upstream).output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(error.contains("returned 404 for its episodes"), "{error}");
    assert_eq!(second.tables(), "", "no show is deleted because of it");
}
