//! Text from TVmaze cannot control the terminal.

use std::time::Duration;

use rusqlite::params;
use serde_json::{Value, json};
use tvmaze_sim::Dataset;
use tvshows_testkit::{ScriptedSimulator, TestEnv};

use super::{parse, stdout_of, text};

const NAME: &str = "evil \u{1b}[31m \u{1b}]0;t\u{7}\r\n\u{9b}2J \u{202e}x\u{2066}";
const ESCAPED: &str = r"evil \u{1b}[31m \u{1b}]0;t\u{7}\r\n\u{9b}2J \u{202e}x\u{2066}";

fn show(id: u32, name: &str) -> Value {
    json!({
        "id": id, "name": name, "type": name, "language": "English", "genres": ["Action", name], "status": name,
        "premiered": "2024-01-01", "rating": {"average": 8}, "officialSite": name, "updated": 1_700_000_000,
        "summary": "<p>the summary \u{1b}[2J</p>",
    })
}

/// A database whose show 1 and its cast are full of control characters.
async fn hostile() -> TestEnv {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, content: Value| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content.to_string()).unwrap();
    };
    let mut malformed = show(2, "Another");
    malformed["externals"] = json!([]);
    write("pages/0.json", json!([show(1, NAME), malformed]));
    let member = json!({"person": {"id": 1, "name": NAME}, "character": {"id": 1, "name": NAME}});
    write("cast/1.json", json!([member]));
    let dataset = Dataset::recorded(folder.path()).unwrap();
    let simulator = ScriptedSimulator::start_with(dataset, Duration::ZERO).await;
    TestEnv::with_simulator(simulator)
}

fn assert_harmless(said: &str) {
    let harmful = |character: &char| {
        let is_format = matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}');
        character.is_control() && *character != '\n' || is_format
    };
    assert_eq!(said.chars().find(harmful), None, "{said:?}");
}

#[tokio::test]
async fn control_characters_are_shown_and_never_sent() {
    let env = hostile().await;
    for (arguments, shown) in [
        (&["update", "--years", "200"][..], 1),
        (&["top"], 1),
        (&["search"], 2),
        (&["search", "evil"], 2),
        // The name, type, genres, status, and site, and a person and a character.
        (&["show", "1"], 7),
        (&["show", "evil"], 7),
        (&["status"], 0),
        (&["runs"], 0),
        (&["verify"], 0),
    ] {
        let output = env.tvshows(arguments).output().await.unwrap();
        let (out, err) = (text(output.stdout), text(output.stderr));
        assert!(output.status.success(), "{arguments:?}: {err}");
        assert_harmless(&out);
        assert_harmless(&err);
        assert_eq!(out.matches(ESCAPED).count(), shown, "{arguments:?}: {out}");
    }
    let show = stdout_of(&env, &["show", "1"]).await;
    assert!(show.contains(r"the summary \u{1b}[2J"), "{show}");
    // A value cannot add lines.
    assert_eq!(stdout_of(&env, &["top"]).await.lines().count(), 3);
}

#[tokio::test]
async fn the_lines_of_a_summary_are_separate() {
    let env = hostile().await;
    let summary = stdout_of(&env, &["update"]).await;
    let second = summary.lines().nth(1).unwrap();
    assert!(second.starts_with("1 show has values of unexpected types"), "{summary}");
}

#[tokio::test]
async fn json_and_exports_are_exact() {
    let env = hostile().await;
    stdout_of(&env, &["update", "--years", "200"]).await;
    for arguments in [&["top", "--json"][..], &["search", "evil", "--json"]] {
        let shows = parse(&stdout_of(&env, arguments).await);
        assert_eq!(shows[0]["name"], NAME, "{arguments:?}");
    }
    let stored = parse(&stdout_of(&env, &["show", "1", "--json"]).await);
    for (key, value) in show(1, NAME).as_object().unwrap() {
        assert_eq!(&stored[key], value, "{key}");
    }
    let csv = stdout_of(&env, &["export", "top_shows"]).await;
    assert!(csv.contains(NAME), "{csv:?}");
    let cast = stdout_of(&env, &["export", "top_shows_cast", "--format", "ndjson"]).await;
    assert_eq!(parse(&cast)["person_name"], NAME);
}

#[tokio::test]
async fn errors_are_shown_too() {
    let env = TestEnv::published().await;
    let failed = "UPDATE Runs SET state = 'failed', error = ?1";
    env.connection().execute(failed, params![NAME]).unwrap();
    for arguments in [&["status"][..], &["runs"]] {
        let out = stdout_of(&env, arguments).await;
        assert_harmless(&out);
        assert!(out.contains(ESCAPED), "{out}");
    }
    let path = format!("{NAME}.db");
    let folder = format!("{NAME}/x.db");
    let cases: [(&[&str], _); 5] = [
        (&["top", "--database-path", &path], ""),
        (&["update", "--database-path", &folder], ""),
        (&["top", NAME], ""),
        (&["top", "--config", &path], ""),
        (&["serve"], NAME),
    ];
    for (arguments, host) in cases {
        let mut command = env.tvshows(arguments);
        let output = command.env("HOST", host).output().await.unwrap();
        assert!(!output.status.success(), "{arguments:?}");
        let error = text(output.stderr);
        assert_harmless(&error);
        assert!(error.contains(r"evil \u{1b}[31m"), "{arguments:?}: {error}");
    }
}
