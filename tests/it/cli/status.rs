//! `tvshows status` and `tvshows runs`.

use super::{parse, stderr_of_failure, stdout_of};
use serde_json::json;
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, tvshows};

#[tokio::test]
async fn runs_are_listed_from_the_file_and_by_the_service() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let error = stderr_of_failure(&env, &["status"]).await;
    assert!(error.contains("tvshows.db") && error.contains("tvshows update"), "{error}");
    let service = Service::start(&env, &[]).await;
    stderr_of_failure(&env, &["status"]).await;
    let run = service.submit_and_stall("?mode=full").await;
    let url = service.base_url.clone();
    for source in [&[][..], &["--service", &url]] {
        for id in [&[][..], &[run.as_str()]] {
            let all: Vec<_> = [&["status", "--json"], id, source].concat();
            let status = parse(&stdout_of(&env, &all).await);
            assert_eq!((&status["request_id"], &status["state"]), (&json!(run), &json!("running")));
            assert_eq!(status["pages_done"], 9);
        }
    }
    let other = "0190c5a8-0000-7000-8000-000000000000";
    assert!(stderr_of_failure(&env, &["status", other]).await.contains("tvshows runs"));
    stderr_of_failure(&env, &["status", other, "--service", &url]).await;

    let mut watches = Vec::new();
    for source in [&[][..], &["--service", &url]] {
        let all: Vec<_> = [&["status", "--watch"], source].concat();
        let mut watch = env.tvshows(&all);
        let mut watch = watch.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(watch.stderr.take().unwrap()).lines();
        let line = lines.next_line().await.unwrap().unwrap();
        assert!(line.contains("Fetching all shows") && line.contains("9/10"), "{line}");
        watches.push((watch, lines));
    }
    env.simulator.set_faults(&[]);
    for (watch, _lines) in watches {
        let output = watch.wait_with_output().await.unwrap();
        assert!(output.status.success());
        let out = String::from_utf8(output.stdout).unwrap();
        assert!(out.contains("2,300 added"), "{out}");
    }
    let table = stdout_of(&env, &["runs"]).await;
    assert!(table.contains("succeeded") && table.contains(&run), "{table}");
    let runs = service.json("/pipeline/runs").await["runs"].clone();
    assert_eq!(
        parse(&stdout_of(&env, &["runs", "--json"]).await)[0]["revision"],
        runs[0]["revision"]
    );
}

#[tokio::test]
async fn what_is_no_id_of_a_run_is_refused_with_where_they_are() {
    let output = tvshows(&["status", "abc"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("tvshows runs"), "{error}");
}

#[tokio::test]
async fn a_failed_run_is_listed_with_its_whole_error() {
    let env = TestEnv::new(&["status:403@/shows?page=3"]).await;
    env.update().await;
    let table = stdout_of(&env, &["runs"]).await;
    assert!(table.contains("failed") && table.contains("index page 3"), "{table}");
}

#[tokio::test]
async fn runs_are_followed_until_a_signal() {
    let env = TestEnv::published().await;
    env.simulator.set_faults(&[HANGING_PAGE]);
    let service = Service::start(&env, &[]).await;
    let url = service.base_url.clone();
    let mut followers = Vec::new();
    for source in [&[][..], &["--json"], &["--json", "--service", &url]] {
        let all: Vec<_> = [&["runs", "--follow"], source].concat();
        let mut follow = env.tvshows(&all).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines();
        let is_json = source.contains(&"--json");
        if !is_json {
            let header = lines.next_line().await.unwrap().unwrap();
            assert!(header.starts_with("STARTED  "), "{header}");
        }
        let line = lines.next_line().await.unwrap().unwrap();
        assert!(line.contains("succeeded"), "the runs so far: {line}");
        followers.push((follow, lines, is_json));
    }
    let run = service.submit_and_stall("?mode=full").await;
    for (_, lines, is_json) in &mut followers {
        let line = loop {
            let line = lines.next_line().await.unwrap().unwrap();
            if !line.contains("queued") {
                break line;
            }
        };
        assert!(line.contains(&run) && line.contains("running"), "{line}");
        assert_eq!(line.starts_with('{'), *is_json);
    }
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    for (mut follow, mut lines, is_json) in followers {
        let line = lines.next_line().await.unwrap().unwrap();
        assert!(line.contains(&run) && line.contains("cancelled"), "{line}");
        if is_json {
            assert_eq!(parse(&line)["request_id"], json!(run));
        }
        #[cfg(unix)]
        {
            tvshows_testkit::signal(&follow, "-INT").await;
            assert!(follow.wait().await.unwrap().success());
        }
    }
}
