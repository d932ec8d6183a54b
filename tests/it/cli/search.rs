//! `tvshows top`, `show`, `search` and `schedule`.

use std::time::Duration;

use tvmaze_sim::Dataset;
use tvshows_testkit::{ScriptedSimulator, Service, TestEnv};

use super::{parse, stderr_of_failure, stdout_of};

#[tokio::test]
async fn shows_are_listed_as_the_service_lists_them() {
    let env = TestEnv::published().await;
    let service = Service::start(&env, &[]).await;
    let top = service.json("/shows/top_shows?limit=3").await;
    assert_eq!(parse(&stdout_of(&env, &["top", "--limit", "3", "--json"]).await), top);
    let table = stdout_of(&env, &["top", "--limit", "3"]).await;
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.contains(top[0]["name"].as_str().unwrap()), "{table}");

    let id = top[0]["id"].to_string();
    let show = service.json(&format!("/shows/{id}")).await;
    assert_eq!(parse(&stdout_of(&env, &["show", &id, "--json"]).await), show);
    let by_name = stdout_of(&env, &["show", top[0]["name"].as_str().unwrap()]).await;
    let first = format!("{} (show {id})\n", top[0]["name"].as_str().unwrap());
    assert!(by_name.starts_with(&first), "{by_name}");
    assert!(by_name.contains("\nCast\n") && !by_name.contains("<p>"), "{by_name}");

    let list = service.json("/shows?q=harbor&genre=Drama&limit=2").await;
    let search = ["search", "harbor", "--genre", "Drama", "--limit", "2", "--json"];
    assert_eq!(parse(&stdout_of(&env, &search).await), list["shows"]);
    let best =
        stdout_of(&env, &["search", "--language", "English", "--limit", "1", "--json"]).await;
    let expected = service.json("/shows?language=English&sort=-rating&limit=1").await;
    assert_eq!(parse(&best), expected["shows"], "the best come first without words");
}

#[tokio::test]
async fn a_schedule_is_listed_as_the_service_lists_it() {
    let env = TestEnv::published().await;
    let none = env.tvshows(&["schedule"]).output().await.unwrap();
    let message = String::from_utf8(none.stderr).unwrap();
    assert!(none.status.success() && message.contains("--details"), "{message}");
    stdout_of(&env, &["update", "--details", "status=Running"]).await;
    let service = Service::start(&env, &[]).await;
    let show = service.json("/shows?status=Running&limit=1").await["shows"][0].clone();
    let id = show["id"].to_string();
    let episode = service.json(&format!("/shows/{id}/episodes")).await[0].clone();
    let date = episode["airdate"].as_str().unwrap();

    let schedule = service.json(&format!("/schedule?date={date}&days=31&id={id}")).await;
    let arguments = ["schedule", "--date", date, "--days", "31", "--id", &id];
    let json = stdout_of(&env, &[&arguments[..], &["--json"]].concat()).await;
    assert_eq!(parse(&json), schedule);
    let table = stdout_of(&env, &arguments).await;
    assert_eq!(table.lines().count(), 1 + schedule.as_array().unwrap().len(), "{table}");
    assert!(table.contains(episode["name"].as_str().unwrap()), "{table}");
    let described = stdout_of(&env, &["show", &id]).await;
    assert!(described.contains("\nEpisodes "), "{described}");
    for wrong in [["--days", "32"], ["--date", "2026"], ["--id", "1,x"]] {
        let refused = env.tvshows(&[&["schedule"], &wrong[..]].concat()).output().await.unwrap();
        assert_eq!(refused.status.code(), Some(2), "{wrong:?}");
    }
}

#[tokio::test]
async fn a_search_and_an_export_have_the_same_filters() {
    let env = TestEnv::published().await;
    let filters = ["--genre", "drama", "--country", "us", "--max-rating", "8", "--network", "-"];
    for count in [2, 4, 6, 8] {
        let search = [&["search", "--limit", "1000", "--sort", "id", "--json"], &filters[..count]];
        let listed = parse(&stdout_of(&env, &search.concat()).await);
        let listed = listed.as_array().unwrap().iter().map(|show| show["id"].clone());
        let export = [&["export", "all_shows", "--format", "ndjson"], &filters[..count]];
        let exported = stdout_of(&env, &export.concat()).await;
        let exported = exported.lines().map(|line| parse(line)["id"].clone());
        let exported: Vec<_> = exported.take(1000).collect();
        assert_eq!(exported, listed.collect::<Vec<_>>(), "{count}");
    }
    let unmatched = env.tvshows(&["search", "--genre", "darma"]).output().await.unwrap();
    let message = String::from_utf8(unmatched.stderr).unwrap();
    assert!(unmatched.status.success() && message.contains("did you mean \"Drama\"?"), "{message}");
    let refused = env.tvshows(&["export", "top_shows", "--genre", "drama"]).output().await.unwrap();
    let message = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.status.code() == Some(2) && message.contains("only all_shows"), "{message}");
}

#[tokio::test]
async fn a_number_is_an_id_or_else_a_name() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pages")).unwrap();
    let page = r#"[{"id": 1, "name": "1992 and All That", "updated": 5}, {"id": 2, "name": "1992", "updated": 5},
                   {"id": 24, "name": "A show", "updated": 5}, {"id": 25, "name": "24", "updated": 5}]"#;
    std::fs::write(folder.path().join("pages/0.json"), page).unwrap();
    let dataset = Dataset::recorded(folder.path()).unwrap();
    let simulator = ScriptedSimulator::start_with(dataset, Duration::ZERO).await;
    let env = TestEnv::with_simulator(simulator);
    stdout_of(&env, &["update"]).await;
    for (id_or_name, first) in [("1992", "1992 (show 2)"), ("24", "A show (show 24)")] {
        let show = stdout_of(&env, &["show", id_or_name]).await;
        assert_eq!(show.lines().next(), Some(first));
    }
    let error = stderr_of_failure(&env, &["show", "1993"]).await;
    assert!(error.contains("1993") && error.contains("tvshows search"), "{error}");
}

#[tokio::test]
async fn a_show_is_found_by_its_id_in_another_database() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("pages")).unwrap();
    let page = r#"[{"id": 1, "name": "Spider-Man", "updated": 5, "externals": {"imdb": "tt0944948"}},
                   {"id": 82, "name": "Nip/Tuck", "updated": 5,
                    "externals": {"imdb": "tt0944947", "thetvdb": 121361, "tvrage": 24493}}]"#;
    std::fs::write(folder.path().join("pages/0.json"), page).unwrap();
    let dataset = Dataset::recorded(folder.path()).unwrap();
    let env = TestEnv::with_simulator(ScriptedSimulator::start_with(dataset, Duration::ZERO).await);
    stdout_of(&env, &["update"]).await;
    for id in ["imdb:tt0944947", "thetvdb:121361", "tvrage:24493", "IMDB:tt0944947"] {
        let show = stdout_of(&env, &["show", id]).await;
        assert_eq!(show.lines().next(), Some("Nip/Tuck (show 82)"), "{id}");
    }
    let error = stderr_of_failure(&env, &["show", "imdb:tt0944949"]).await;
    assert!(error.contains("no published show") && error.contains("imdb:tt0944949"), "{error}");
    let error = stderr_of_failure(&env, &["show", "imdb:944947"]).await;
    assert!(error.contains("imdb:944947") && error.contains("tt0944947"), "{error}");
    let error = stderr_of_failure(&env, &["show", "thetvdb:"]).await;
    assert!(error.contains("must be a number"), "{error}");
    for (text, first) in [("spiderman", "Spider-Man (show 1)"), ("nip tuck", "Nip/Tuck (show 82)")]
    {
        assert_eq!(stdout_of(&env, &["show", text]).await.lines().next(), Some(first));
    }
}
