//! `tvshows copy`, from one SQLite file to another.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;
use tvshows_testkit::{TestEnv, dump_tables};

use super::{parse, stderr_of_failure, stdout_of, text};

/// What planning the next update knows, and the history, without what differs between any two databases.
fn internals(database: &Path) -> Vec<String> {
    let connection = Connection::open(database).unwrap();
    let queries = [
        "SELECT page || ' ' || fetched_at FROM _Index_Pages ORDER BY page",
        "SELECT id || ' ' || updated || ' ' || processed_at FROM _Show_Versions ORDER BY id",
        "SELECT request_id || ' ' || state || ' ' || revision || ' ' || steps || ' ' || finished_at \
         FROM Runs ORDER BY sequence",
    ];
    let rows = queries.iter().flat_map(|query| {
        let mut select = connection.prepare(query).unwrap();
        let rows = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
        rows.map(Result::unwrap).collect::<Vec<_>>()
    });
    rows.collect()
}

/// The names of the files in a folder.
fn names(folder: &Path) -> Vec<String> {
    let files = std::fs::read_dir(folder).unwrap().map(|file| file.unwrap().file_name());
    let mut names: Vec<_> = files.map(|name| name.into_string().unwrap()).collect();
    names.sort();
    names
}

/// A database with three updates, of which the last one failed, and shows that were fetched at different times.
async fn with_history() -> TestEnv {
    let env = TestEnv::published().await;
    stdout_of(&env, &["update", "--top", "5"]).await;
    env.simulator.set_faults(&["status:403@/shows?page=3"]);
    stderr_of_failure(&env, &["update", "--mode", "full"]).await;
    env.simulator.set_faults(&[]);
    let fetched = "UPDATE All_Shows SET processed_at = '2026-02-03T04:05:06.789Z' WHERE id % 7 = 0";
    env.connection().execute(fetched, []).unwrap();
    env
}

#[tokio::test]
async fn a_copy_has_the_same_shows_times_casts_and_history() {
    let env = with_history().await;
    let said = stdout_of(&env, &["copy", "--from", "tvshows.db", "--to", "copy.db"]).await;
    assert!(said.starts_with("Copied 2,300 shows, 5 top shows with "), "{said}");
    assert!(said.contains(" and 3 updates ("), "{said}");
    let (original, copy) = (env.database(), env.path("copy.db"));
    assert_eq!(dump_tables(&copy), dump_tables(&original));
    assert_eq!(internals(&copy), internals(&original));
    let runs = ["runs", "--json"];
    let of_copy = [&runs[..], &["--database-path", "copy.db"]].concat();
    assert_eq!(stdout_of(&env, &of_copy).await, stdout_of(&env, &runs).await);
    let left: Vec<_> =
        names(env.folder()).into_iter().filter(|name| name.contains("copy")).collect();
    assert_eq!(left, ["copy.db"], "and nothing else");
    let before = env.simulator.request_count();
    let update = ["update", "--top", "5", "--json", "--database-path", "copy.db"];
    let status: Value = parse(&stdout_of(&env, &update).await);
    assert_eq!(status["unchanged"], 2300);
    assert_eq!(env.simulator.request_count() - before, 1, "nothing has to be fetched again");
}

#[tokio::test]
async fn a_copy_has_the_episodes_and_casts_of_chosen_shows() {
    let env = TestEnv::new(&[]).await;
    let details = ["update", "--details", "language=English&min_rating=8"];
    stdout_of(&env, &details).await;
    let said = stdout_of(&env, &["copy", "--from", "tvshows.db", "--to", "copy.db"]).await;
    assert!(said.contains(" cast rows, ") && said.contains(" episodes, and 1 update ("), "{said}");
    assert_eq!(dump_tables(&env.path("copy.db")), env.tables());
    let counts = env.connection().query_row(
        "SELECT (SELECT count(*) FROM Episodes), (SELECT count(*) FROM Show_Cast), \
             (SELECT count(*) FROM Top_Shows_Cast)",
        [],
        |row| Ok([row.get::<_, u32>(0)?, row.get(1)?, row.get(2)?]),
    );
    let [episodes, all, top] = counts.unwrap();
    assert!(episodes > 100 && all > top, "{episodes} episodes, {all} and {top} cast rows");
    let before = env.simulator.request_count();
    stdout_of(&env, &[&details[..], &["--database-path", "copy.db"]].concat()).await;
    assert_eq!(env.simulator.request_count() - before, 1, "nothing has to be fetched again");
    assert_eq!(dump_tables(&env.path("copy.db")), env.tables());
}

#[tokio::test]
async fn only_an_empty_database_is_filled() {
    let env = with_history().await;
    stdout_of(&env, &["migrate", "--database-path", "empty.db"]).await;
    for target in ["new.db", "empty.db"] {
        stdout_of(&env, &["copy", "--from", "tvshows.db", "--to", target]).await;
        let before = dump_tables(&env.path(target));
        assert_eq!(before, env.tables());
        let refused =
            stderr_of_failure(&env, &["copy", "--from", "tvshows.db", "--to", target]).await;
        assert!(refused.contains("it is not empty"), "{refused}");
        assert_eq!(dump_tables(&env.path(target)), before);
    }
    let itself = ["copy", "--from", "tvshows.db", "--to", "tvshows.db"];
    assert!(stderr_of_failure(&env, &itself).await.contains("it is not empty"));
}

#[tokio::test]
async fn a_copy_that_fails_leaves_nothing() {
    let env = TestEnv::new(&[]).await;
    let nothing = ["copy", "--from", "tvshows.db", "--to", "copy.db"];
    let refused = stderr_of_failure(&env, &nothing).await;
    assert!(refused.contains("there is no database at tvshows.db"), "{refused}");
    stdout_of(&env, &["migrate"]).await;
    let refused = stderr_of_failure(&env, &nothing).await;
    assert!(refused.contains("there is nothing to copy"), "{refused}");
    let into_nowhere = ["copy", "--from", "tvshows.db", "--to", "no/folder/copy.db"];
    let refused = stderr_of_failure(&env, &into_nowhere).await;
    assert!(refused.contains("cannot create no/folder/copy.db"), "{refused}");
    assert!(!names(env.folder()).iter().any(|name| name.contains("copy")), "{refused}");
}

#[tokio::test]
async fn a_copy_that_did_not_complete_can_be_repeated() {
    let env = with_history().await;
    stdout_of(&env, &["copy", "--from", "tvshows.db", "--to", "copy.db"]).await;
    let copy = env.path("copy.db");
    let connection = Connection::open(&copy).unwrap();
    // As if the process had been killed after it had staged a part.
    connection
        .execute_batch(
            "DELETE FROM Runs WHERE sequence = 3; \
             UPDATE Runs SET state = 'running', finished_at = NULL WHERE sequence = 2; \
             INSERT INTO _Staged_Run (request_id, attempt, holds_lock, holds_lease, stalled_resumes) \
                 SELECT request_id, attempt, 1, 0, 0 FROM Runs WHERE sequence = 2; \
             INSERT INTO _Staged_Shows SELECT * FROM All_Shows WHERE id < 100; \
             INSERT INTO _Staged_Shows (id, name, genres, processed_at) VALUES (999999, 'x', '', ''); \
             DELETE FROM All_Shows; DELETE FROM Top_Shows; DELETE FROM Top_Shows_Cast;",
        )
        .unwrap();
    drop(connection);
    stdout_of(&env, &["copy", "--from", "tvshows.db", "--to", "copy.db"]).await;
    assert_eq!(dump_tables(&copy), env.tables());
    assert_eq!(internals(&copy), internals(&env.database()));
}

#[tokio::test]
async fn an_unfinished_update_is_left_out() {
    let env = TestEnv::published().await;
    let run = "UPDATE Runs SET state = 'interrupted', request_id = \
               '0190c5a8-0000-7000-8000-000000000000'";
    env.connection().execute(run, []).unwrap();
    let output = env.tvshows(&["copy", "--from", "tvshows.db", "--to", "copy.db"]).output().await;
    let output = output.unwrap();
    let error = text(output.stderr);
    assert!(error.contains("warning: 1 unfinished update will not be copied"), "{error}");
    assert!(output.status.success(), "{error}");
    assert_eq!(dump_tables(&env.path("copy.db")), env.tables());
    let runs = stdout_of(&env, &["runs", "--json", "--database-path", "copy.db"]).await;
    let runs = parse(&runs);
    assert_eq!(runs[0]["state"], "succeeded", "the copy itself: {runs}");
    assert_eq!(runs.as_array().unwrap().len(), 1);
}
