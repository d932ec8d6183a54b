//! The queries of docs/queries.md.

use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::types::Value;
use serde_json::json;
use tvmaze_sim::Dataset;
use tvshows_testkit::{ScriptedSimulator, TestEnv};

use super::stdout_of;

/// A query, and the lines of the table below it.
struct Query {
    sql: &'static str,
    documented: Vec<&'static str>,
}

fn queries() -> Vec<Query> {
    let document = include_str!("../../../docs/queries.md");
    let read = |section: &'static str| {
        let (sql, rest) = section.split_once("\n```\n").unwrap();
        let lines = rest.lines().skip_while(|line| line.is_empty());
        Query { sql, documented: lines.take_while(|line| line.starts_with('|')).collect() }
    };
    document.split("```sql\n").skip(1).map(read).collect()
}

/// The result of a query as a Markdown table.
fn table(connection: &Connection, sql: &str) -> Vec<String> {
    let mut select = connection.prepare(sql).unwrap();
    let names: Vec<_> = select.column_names().into_iter().map(str::to_owned).collect();
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let mut lines = vec![line(&names), line(&vec!["---".to_owned(); names.len()])];
    let mut rows = select.query([]).unwrap();
    while let Some(row) = rows.next().unwrap() {
        let cell = |column| match row.get(column).unwrap() {
            Value::Null => String::new(),
            Value::Integer(number) => number.to_string(),
            Value::Real(number) => format!("{number:?}"),
            Value::Text(text) => text,
            Value::Blob(_) => panic!("no column of a show is binary"),
        };
        lines.push(line(&(0..names.len()).map(cell).collect::<Vec<_>>()));
    }
    lines
}

/// Updates from recorded responses.
async fn updated_from(recordings: &Path) -> TestEnv {
    let dataset = Dataset::recorded(recordings).unwrap();
    let simulator = ScriptedSimulator::start_with(dataset, Duration::ZERO).await;
    let env = TestEnv::with_simulator(simulator);
    // Such a number of years makes the top shows independent of the date.
    stdout_of(&env, &["update", "--years", "200", "--top", "1000"]).await;
    env
}

#[tokio::test]
async fn ten_questions_about_a_few_shows_have_the_expected_answers() {
    let folder = tempfile::tempdir().unwrap();
    for kind in ["pages", "cast"] {
        std::fs::create_dir(folder.path().join(kind)).unwrap();
    }
    let us = json!({"name": "United States", "code": "US", "timezone": "America/New_York"});
    let uk = json!({"name": "United Kingdom", "code": "GB", "timezone": "Europe/London"});
    let network = |name: &str, country| json!({"id": 1, "name": name, "country": country});
    let mut shows = vec![
        json!({"id": 1, "name": "Alpha, the Show", "type": "Scripted", "genres": ["Drama", "Crime"],
            "status": "Running", "premiered": "2020-01-06", "rating": {"average": 8}, "weight": 90,
            "network": network("NBC", us.clone()), "schedule": {"time": "21:00", "days": ["Monday"]},
            "externals": {"imdb": "tt0000001"}}),
        json!({"id": 2, "name": "Beta", "type": "Scripted", "language": "English", "status": "Ended",
            "genres": ["Action", "Drama"], "premiered": "2010-03-01", "ended": "2015-03-01",
            "rating": {"average": 9}, "weight": 50, "network": network("NBC", us.clone()),
            "schedule": {"time": "", "days": ["Tuesday"]}, "externals": {"imdb": "tt0000002"}}),
        json!({"id": 3, "name": "Gamma", "type": "Reality", "genres": [], "status": "Running",
            "premiered": "2020-05-01", "weight": 95, "webChannel": network("YouTube", json!(null)),
            "schedule": {"time": "", "days": ["Monday", "Friday"]}, "externals": {"imdb": null}}),
        json!({"id": 4, "name": "Delta", "type": "Scripted", "language": "English", "status": "Ended",
            "genres": ["Action", "Crime", "Drama"], "premiered": "2020-02-02", "ended": "2020-12-31",
            "rating": {"average": 7}, "weight": 10, "network": network("NBC", us)}),
        json!({"id": 5, "name": "Odd", "type": "Scripted", "status": "Running", "genres": "Drama",
            "schedule": [], "network": [], "externals": [], "premiered": null}),
    ];
    shows.extend((0..10).map(|number| {
        json!({"id": 11 + number, "name": "Many", "type": "Scripted", "genres": [],
            "rating": {"average": 5.0 + 0.1 * f64::from(number)}, "network": network("BBC", uk.clone())})
    }));
    for show in &mut shows {
        show["updated"] = json!(1);
    }
    std::fs::write(folder.path().join("pages/0.json"), json!(shows).to_string()).unwrap();
    let played_by = |person: u32, name: &str, character: &str| json!({"person": {"id": person, "name": name}, "character": {"id": person, "name": character}});
    let cast =
        json!([played_by(1, "Ann", "A"), played_by(2, "Bob", "B"), played_by(3, "Cid", "C")]);
    std::fs::write(folder.path().join("cast/2.json"), cast.to_string()).unwrap();
    let cast = json!([played_by(4, "Dee", "D")]);
    std::fs::write(folder.path().join("cast/4.json"), cast.to_string()).unwrap();

    let env = updated_from(folder.path()).await;
    stdout_of(&env, &["export", "database", "--output", "copy.db"]).await;
    let expected: [&[&str]; 10] = [
        &["| Drama | 3 |", "| Action | 2 |", "| Crime | 2 |"],
        &["| NBC | 2020 | 2 |", "| NBC | 2010 | 1 |"],
        &["| United Kingdom | 5.45 | 10 |"],
        &["| 3 | Gamma | YouTube |  |", "| 1 | Alpha, the Show | NBC | 21:00 |"],
        &["| Scripted | 14 | 2 | 14.3 |", "| Reality | 1 | 0 | 0.0 |"],
        &[
            "| 2 | Beta | 2010-03-01 | 2015-03-01 | 5.0 |",
            "| 4 | Delta | 2020-02-02 | 2020-12-31 | 0.9 |",
        ],
        &["| YouTube | 1 | 1 |"],
        &["| 2020 | 3 | 7.5 |", "| 2010 | 1 | 9.0 |"],
        &["| Action | Drama | 2 |", "| Crime | Drama | 2 |", "| Action | Crime | 1 |"],
        &["| 1 | Beta | Ann | A |", "| 1 | Beta | Bob | B |", "| 2 | Delta | Dee | D |"],
    ];
    let queries = queries();
    assert_eq!(queries.len(), expected.len());
    for file in ["tvshows.db", "copy.db"] {
        let connection = Connection::open(env.path(file)).unwrap();
        for (query, expected) in queries.iter().zip(expected) {
            assert_eq!(table(&connection, query.sql)[2..], *expected, "{}", query.sql);
        }
    }
}

#[tokio::test]
async fn ten_questions_about_the_recorded_shows_have_the_documented_answers() {
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tvmaze");
    if !recordings.exists() {
        println!(
            "skipped: ten_questions_about_the_recorded_shows_have_the_documented_answers needs {}",
            recordings.display()
        );
        return;
    }
    let env = updated_from(&recordings).await;
    for query in queries() {
        let answer = table(&env.connection(), query.sql);
        assert_eq!(answer, query.documented, "{}\n{}", query.sql, answer.join("\n"));
    }
}
