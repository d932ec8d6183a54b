//! The commands with a shared PostgreSQL database.

use std::fs::File;
use std::process::{Output, Stdio};

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::Command;
use tvshows_testkit::{
    PostgresServer, Service, TestEnv, dump_content, dump_tables, eventually, json_body,
};

use super::{parse, text};

/// The test server accepts any.
const PASSWORD: &str = "hunter2-of-postgres";

/// An environment whose commands use an empty PostgreSQL database.
struct SharedEnv {
    env: TestEnv,
    server: &'static PostgresServer,
    url: String,
}

impl SharedEnv {
    async fn new(faults: &[&str]) -> SharedEnv {
        let server = PostgresServer::shared().await;
        let url = database_url(server).await;
        SharedEnv { env: TestEnv::new(faults).await, server, url }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.env.tvshows(arguments);
        command.env("DATABASE_URL", &self.url);
        command
    }

    /// Runs a command, whose output must not have the password.
    async fn output(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().await.unwrap();
        let said = [&output.stdout[..], &output.stderr].concat();
        let said = String::from_utf8_lossy(&said);
        assert!(!said.contains(PASSWORD) && !said.contains("panicked"), "{arguments:?}: {said}");
        output
    }

    /// Runs a command that must succeed and returns its stdout.
    async fn stdout(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments).await;
        assert!(output.status.success(), "{arguments:?}: {}", text(output.stderr));
        text(output.stdout)
    }

    /// Runs a command that must fail and returns its stderr.
    async fn stderr_of_failure(&self, arguments: &[&str]) -> String {
        let output = self.output(arguments).await;
        let error = text(output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {error}");
        error
    }

    async fn serve(&self, arguments: &[&str]) -> Service {
        Service::spawn(self.command(&[&["serve", "--port", "0"], arguments].concat())).await
    }
}

async fn database_url(server: &PostgresServer) -> String {
    server.create_database().await.replace(":secret@", &format!(":{PASSWORD}@"))
}

#[tokio::test]
async fn every_command_works_with_postgresql() {
    let shared = SharedEnv::new(&[]).await;
    let published = shared.stdout(&["update"]).await;
    assert!(published.starts_with("Published 2,300 shows: 2,300 added"), "{published}");
    assert!(!shared.env.path("tvshows.db").exists(), "an update fills no local copy");
    let embedded = TestEnv::published().await;

    let top: Value = parse(&shared.stdout(&["top", "--json"]).await);
    assert_eq!(top.as_array().unwrap().len(), 10);
    assert!(published.contains(top[9]["name"].as_str().unwrap()), "{published}");
    let expected = shared.env.expected_content().await;
    assert_eq!(dump_content(&shared.env.database()), expected, "the local copy");
    for command in
        [&["top", "--json"][..], &["search", "harbor", "--json"], &["show", "1", "--json"]]
    {
        let of_file = embedded.tvshows(command).output().await.unwrap();
        assert_eq!(shared.stdout(command).await, text(of_file.stdout), "{command:?}");
    }
    let runs: Value = parse(&shared.stdout(&["runs", "--json"]).await);
    assert_eq!(runs[0]["state"], "succeeded");
    let status = shared.stdout(&["status"]).await;
    assert!(status.contains("2,300 added"), "{status}");
    let verified = shared.stdout(&["verify"]).await;
    assert!(verified.contains("No show is missing"), "{verified}");
    let shows = shared.stdout(&["export", "all_shows"]).await;
    assert_eq!(shows.lines().count(), 2301);
    let history = shared.stdout(&["export", "runs"]).await;
    assert_eq!(history.lines().count(), 2, "{history}");
    shared.stdout(&["export", "database", "-o", "export.db"]).await;
    assert_eq!(dump_tables(&shared.env.path("export.db")), dump_tables(&shared.env.database()));

    let again = shared.stdout(&["update"]).await;
    assert!(again.starts_with("Already up to date: 2,300 shows"), "{again}");
    let alone = shared.env.tvshows(&["update"]).output().await.unwrap();
    let refused = text(alone.stderr);
    assert!(!alone.status.success() && refused.contains("set DATABASE_URL"), "{refused}");
    let unknown =
        shared.stderr_of_failure(&["cancel", "0190c5a8-0000-7000-8000-000000000000"]).await;
    assert!(unknown.contains("there is no update"), "{unknown}");
}

#[tokio::test]
async fn commands_read_beside_a_service_that_uses_the_copy() {
    let shared = SharedEnv::new(&[]).await;
    let log = shared.env.path("log");
    let mut serve = shared.command(&["serve", "--port", "0"]);
    serve.env("RUST_LOG", "trace");
    let mut service = Service::spawn_with_log(serve, File::create(&log).unwrap()).await;
    let run = service.submit("").await;
    assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
    for command in [
        &["top"][..],
        &["search", "harbor"],
        &["show", "1"],
        &["runs"],
        &["status"],
        &["verify"],
        &["export", "top_shows"],
        &["export", "runs"],
        &["export", "database"],
        &["update"],
    ] {
        let printed = shared.output(command).await;
        assert!(printed.status.success(), "{command:?}: {}", text(printed.stderr));
        assert!(printed.stdout.len() > 20, "{command:?}");
    }
    let history = shared.stdout(&["export", "runs"]).await;
    assert_eq!(history.lines().count(), 3, "{history}");
    assert_eq!(service.json("/health/ready").await["status"], "ready");
    assert!(service.terminate().await.success());
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("tokio_postgres") && !log.contains(PASSWORD), "{log}");
}

#[tokio::test]
async fn a_replica_without_updates_queues_them_for_another() {
    let shared = SharedEnv::new(&[]).await;
    let reader = shared.serve(&["--updates", "off", "--database-path", "reader.db"]).await;
    let run = reader.submit("").await;
    let queued = reader.json(&format!("/pipeline/status/{run}")).await;
    assert_eq!(queued["status"]["state"], "queued");
    let worker = shared.serve(&[]).await;
    assert_eq!(worker.wait_for_end(&run).await["state"], "succeeded");
    let top = async |service: &Service| service.json("/shows/top_shows").await;
    assert_eq!(top(&reader).await, top(&worker).await, "as soon as the run has succeeded");
    assert_eq!(top(&reader).await.as_array().unwrap().len(), 10);
}

#[tokio::test]
async fn the_schema_is_created_and_checked() {
    let shared = SharedEnv::new(&[]).await;
    for command in [&["migrate", "--check"][..], &["top"], &["runs"], &["verify"]] {
        let outdated = shared.stderr_of_failure(command).await;
        assert!(outdated.contains("run `tvshows migrate`"), "{command:?}: {outdated}");
    }
    let created = shared.stdout(&["migrate"]).await;
    assert!(created.starts_with("The schema of postgres://127.0.0.1:"), "{created}");
    assert_eq!(shared.stdout(&["migrate", "--check"]).await, created);
    assert_eq!(shared.stdout(&["top", "--json"]).await, "[]\n");
    // That of a later release, which only adds something.
    let newer = "UPDATE _schema_version SET version = version + 1";
    shared.server.psql(&shared.url, newer).await;
    shared.stdout(&["migrate", "--check"]).await;
    shared.stdout(&["update"]).await;
    let incompatible = "UPDATE _schema_version SET oldest_reader = version";
    shared.server.psql(&shared.url, incompatible).await;
    for command in [&["migrate"][..], &["migrate", "--check"], &["update"], &["top"]] {
        let refused = shared.stderr_of_failure(command).await;
        assert!(refused.contains("later release"), "{command:?}: {refused}");
    }
}

#[tokio::test]
async fn a_copy_to_postgresql_and_back_is_the_same() {
    let shared = SharedEnv::new(&[]).await;
    let env = &shared.env;
    assert!(env.update().await.status.success());
    let fetched = "UPDATE All_Shows SET processed_at = '2026-02-03T04:05:06.789Z' WHERE id % 7 = 0";
    env.connection().execute(fetched, []).unwrap();
    // The URL can be in a file.
    std::fs::write(env.path("url"), &shared.url).unwrap();
    let mut copy = env.tvshows(&["copy", "--from", "tvshows.db"]);
    let copied = copy.env("DATABASE_URL_FILE", "url").output().await.unwrap();
    let said = text([&copied.stdout[..], &copied.stderr].concat());
    assert!(copied.status.success() && !said.contains(PASSWORD), "{said}");
    let said = text(copied.stdout);
    assert!(said.starts_with("Copied 2,300 shows, 10 top shows with "), "{said}");
    let refused = shared.stderr_of_failure(&["copy", "--from", "tvshows.db"]).await;
    assert!(refused.contains("it is not empty"), "{refused}");
    let back = env.tvshows(&["copy", "--from", &shared.url, "--to", "back.db"]).output().await;
    let back = back.unwrap();
    let said = text([&back.stdout[..], &back.stderr].concat());
    assert!(back.status.success() && !said.contains(PASSWORD), "{said}");
    assert_eq!(dump_tables(&env.path("back.db")), env.tables());
    let history = |database: &str| {
        let arguments = ["runs", "--json", "--database-path", database];
        env.tvshows(&arguments).output()
    };
    let (before, after) = (history("tvshows.db").await.unwrap(), history("back.db").await.unwrap());
    assert_eq!(text(after.stdout), text(before.stdout));

    let refused = shared.stderr_of_failure(&["top"]).await;
    assert!(refused.contains("is not a copy of the shared database"), "{refused}");
    let service = shared.command(&["serve", "--port", "0"]).output().await.unwrap();
    let refused = text(service.stderr);
    assert!(refused.contains("is not a copy of the shared database"), "{refused}");
    assert!(!refused.contains(PASSWORD), "{refused}");
    let before = env.simulator.request_count();
    let update = shared.stdout(&["update", "--database-path", "copy.db"]).await;
    assert!(update.starts_with("Already up to date"), "{update}");
    assert_eq!(env.simulator.request_count() - before, 1, "nothing has to be fetched again");
}

#[tokio::test]
async fn reads_go_on_without_postgresql() {
    let server = PostgresServer::start().await;
    let url = database_url(&server).await;
    let env = TestEnv::new(&[]).await;
    let command = |arguments: &[&str]| {
        let mut command = env.tvshows(arguments);
        command.env("DATABASE_URL", &url);
        command
    };
    assert!(command(&["update"]).output().await.unwrap().status.success());
    let top = text(command(&["top"]).output().await.unwrap().stdout);
    let mut nothing_to_serve = command(&["serve", "--port", "0", "--database-path", "new.db"]);
    server.stop().await;
    let mut waiting =
        nothing_to_serve.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut log = BufReader::new(waiting.stderr.take().unwrap()).lines();
    let line = log.next_line().await.unwrap().unwrap();
    assert!(line.contains("waiting up to 60 s for the database"), "{line}");
    let read = command(&["top"]).output().await.unwrap();
    let warning = text(read.stderr);
    assert!(warning.contains("the local copy is used, which may be out of date"), "{warning}");
    assert_eq!(text(read.stdout), top);
    let runs = command(&["runs"]).output().await.unwrap();
    assert_eq!(runs.status.code(), Some(1));
    assert!(text(runs.stderr).contains("is unavailable"), "and not the history of some time ago");
    for needs_the_server in [&["verify"][..], &["update", "--dry-run"]] {
        let refused = command(needs_the_server).output().await.unwrap();
        let error = text(refused.stderr);
        assert!(error.starts_with("error: ") && error.lines().count() == 1, "{error}");
        assert!(error.contains("is unavailable"), "{error}");
    }
    let mut migrating = command(&["migrate"]);
    migrating.stdout(Stdio::null()).stderr(Stdio::piped());
    let mut migrating = migrating.spawn().unwrap();
    let mut waits = BufReader::new(migrating.stderr.take().unwrap()).lines();
    let line = waits.next_line().await.unwrap().unwrap();
    assert!(line.contains("is unavailable") && line.contains("waiting up to 60 s"), "{line}");

    let service = Service::spawn(command(&["serve", "--port", "0"])).await;
    let ready = service.get("/health/ready").send().await.unwrap();
    assert_eq!(ready.status(), 200);
    assert_eq!(service.json("/shows/top_shows").await.as_array().unwrap().len(), 10);
    let refused = service.post("/pipeline/update").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(!json_body(refused).await.to_string().contains(PASSWORD));
    server.restart().await;
    let mut lines = BufReader::new(waiting.stdout.take().unwrap()).lines();
    assert!(lines.next_line().await.unwrap().unwrap().starts_with("Serving "), "it waited");
    assert!(migrating.wait().await.unwrap().success());
    eventually(async || {
        service.post("/pipeline/update?top=3").send().await.unwrap().status() == 202
    })
    .await;
    eventually(async || service.json("/shows/top_shows").await.as_array().unwrap().len() == 3)
        .await;
}

#[tokio::test]
async fn the_details_of_chosen_shows_are_shared_and_copied() {
    let shared = SharedEnv::new(&[]).await;
    let embedded = TestEnv::new(&[]).await;
    for chosen in ["id=1,2,3,100", "id=2,100,200", "top"] {
        let update = ["update", "--details", chosen];
        shared.stdout(&update).await;
        let of_file = embedded.tvshows(&update).output().await.unwrap();
        assert!(of_file.status.success(), "{}", text(of_file.stderr));
        let episodes = shared.stdout(&["export", "episodes"]).await;
        assert_eq!(episodes.lines().count() > 1, chosen != "top", "{episodes}");
        assert_eq!(
            dump_content(&shared.env.database()),
            dump_content(&embedded.database()),
            "{chosen}"
        );
        let rows = "SELECT (SELECT count(*) FROM episodes), (SELECT count(*) FROM show_cast)";
        let casts = shared.stdout(&["export", "show_cast", "--format", "ndjson"]).await;
        let episodes = shared.stdout(&["export", "episodes", "--format", "ndjson"]).await;
        let expected = format!("{}|{}", episodes.lines().count(), casts.lines().count());
        assert_eq!(shared.server.psql(&shared.url, rows).await, expected);
        let verified = shared.stdout(&["verify"]).await;
        assert!(verified.contains("No show is missing"), "{verified}");
        let copied = format!("{}.db", chosen.replace(['=', ','], "-"));
        let copy = shared.env.tvshows(&["copy", "--from", &shared.url, "--to", &copied]).output();
        assert!(copy.await.unwrap().status.success());
        let copied = shared.env.path(&copied);
        assert_eq!(dump_tables(&copied), dump_tables(&shared.env.database()));
        let other = database_url(shared.server).await;
        let (from, env) = (copied.display().to_string(), &shared.env);
        let copy = env.tvshows(&["copy", "--from", &from, "--to", &other]).output().await.unwrap();
        assert!(copy.status.success(), "{}", text(copy.stderr));
        assert_eq!(shared.server.psql(&other, rows).await, expected);
    }
    let again = shared.stdout(&["update"]).await;
    assert!(again.starts_with("Already up to date"), "{again}");
}
