//! `tvshows sim`.

use std::process::Stdio;

use serde_json::json;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Child;
use tvshows_testkit::{TestEnv, tvshows};

use super::{parse, stdout_of};

/// Starts `tvshows sim` and returns its URL.
async fn simulate(arguments: &[&str]) -> (Child, String) {
    let mut simulator = tvshows(arguments).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(simulator.stdout.take().unwrap()).lines();
    let line = lines.next_line().await.unwrap().unwrap();
    let url = line.split_whitespace().find(|word| word.starts_with("http://"));
    (simulator, url.unwrap().to_owned())
}

#[tokio::test]
async fn the_simulator_is_an_upstream_with_faults_on_demand() {
    let env = TestEnv::new(&[]).await;
    let arguments = [
        "sim",
        "--port",
        "0",
        "--shows",
        "300",
        "--limit",
        "500/1s",
        "--fault",
        "cut*1@/shows?page=1",
    ];
    let (_simulator, base_url) = simulate(&arguments).await;
    let update = ["update", "--base-url", &base_url, "--json"];
    let outcome = parse(&stdout_of(&env, &update).await);
    assert_eq!((&outcome["shows_seen"], &outcome["retries"]), (&json!(300), &json!(1)));
}

#[tokio::test]
async fn on_the_next_day_only_shows_with_an_episode_change() {
    let env = TestEnv::new(&[]).await;
    let update = async |date: &str| {
        let arguments = ["sim", "--port", "0", "--shows", "1500", "--date", date];
        let (_simulator, base_url) = simulate(&arguments).await;
        let details = ["--details", "status=Running&genre=Drama"];
        let update = [&["update", "--base-url", &base_url, "--json"][..], &details].concat();
        parse(&stdout_of(&env, &update).await)
    };
    update("2026-11-28").await;
    let airing = |days: &str| {
        let sql = format!("SELECT count(DISTINCT show_id) FROM Episodes WHERE {days}");
        env.connection().query_row(&sql, [], |row| row.get::<_, u64>(0)).unwrap()
    };
    let today = airing("airdate = '2026-11-28'");
    let week = airing("airdate BETWEEN '2026-11-28' AND '2026-12-04'");
    assert!(today > 0 && today < week, "{today} of {week}");
    assert_eq!(update("2026-11-28").await["requests"], 1, "nothing has changed");

    let next = update("2026-11-29").await;
    let changed = next["changed"].as_u64().unwrap();
    assert!((15..60).contains(&changed), "{next}");
    assert_eq!((&next["added"], &next["deleted"]), (&json!(0), &json!(0)));
    assert_eq!(next["details_done"], today, "those that had an episode");
}

#[tokio::test]
async fn the_simulator_serves_a_folder_of_recordings() {
    let env = TestEnv::new(&[]).await;
    let folder = env.path("recorded");
    std::fs::create_dir_all(folder.join("pages")).unwrap();
    let page = r#"[{"id": 1, "name": "Under the Dome", "updated": 5, "genres": ["Drama"]}]"#;
    std::fs::write(folder.join("pages/0.json"), page).unwrap();
    let arguments = ["sim", "--port", "0", "--data", folder.to_str().unwrap()];
    let (_simulator, base_url) = simulate(&arguments).await;
    stdout_of(&env, &["update", "--base-url", &base_url]).await;
    assert!(env.tables().contains("Under the Dome"));
}
