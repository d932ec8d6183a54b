//! `tvshows export`.

use std::process::Stdio;

use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, dump_tables};

use super::{stderr_of_failure, stdout_of, text};

#[tokio::test]
async fn a_table_is_exported_as_by_the_service() {
    let env = TestEnv::published().await;
    let service = Service::start(&env, &[]).await;
    for (name, format) in [
        ("top_shows", "csv"),
        ("top_shows_cast", "ndjson"),
        ("all_shows", "csv"),
        ("runs", "ndjson"),
    ] {
        let path = format!("/export/{name}.{format}");
        let download = service.get(&path).send().await.unwrap().text().await.unwrap();
        assert!(stdout_of(&env, &["export", name, "--format", format]).await == download, "{path}");
        let file = format!("out.{format}");
        stdout_of(&env, &["export", name, "--output", &file]).await;
        let written = std::fs::read_to_string(env.path(&file)).unwrap();
        assert!(written == download, "{path}: the extension selects the format");
    }
    stdout_of(&env, &["export", "all_shows", "-o", "shows.parquet"]).await;
    let parquet = std::fs::read(env.path("shows.parquet")).unwrap();
    assert!(parquet.starts_with(b"PAR1") && parquet.ends_with(b"PAR1"));
    stdout_of(&env, &["export", "database", "-o", "copy.db"]).await;
    let copy = dump_tables(&env.path("copy.db"));
    assert!(copy == env.tables());
    let error = stderr_of_failure(&env, &["export", "all_shows", "-o", "no/folder.csv"]).await;
    assert!(error.contains("no/folder.csv"), "{error}");
    let left: Vec<_> = std::fs::read_dir(env.folder())
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains("unfinished"))
        .collect();
    assert_eq!(left, [""; 0]);
}

#[tokio::test]
async fn a_run_whose_process_died_is_exported_as_interrupted() {
    let env = TestEnv::published().await;
    env.simulator.set_faults(&[HANGING_PAGE]);
    let mut update = env.tvshows(&["update", "--mode", "full"]).stderr(Stdio::null()).spawn();
    let update = update.as_mut().unwrap();
    env.wait_until_staged(9).await;
    let runs = async || -> Vec<Value> {
        let exported = stdout_of(&env, &["export", "runs", "--format", "ndjson"]).await;
        exported.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(runs().await[1]["state"], "running");
    update.kill().await.unwrap();
    let history: Value = serde_json::from_str(&stdout_of(&env, &["runs", "--json"]).await).unwrap();
    let exported = runs().await;
    assert_eq!(exported[0]["state"], "succeeded");
    for field in ["request_id", "state", "error", "finished_at", "revision", "steps", "pages_done"]
    {
        assert_eq!(exported[1][field], history[0][field], "{field}");
    }
    assert_eq!(exported[1]["state"], "interrupted");
}

#[tokio::test]
async fn a_reader_that_stops_early_is_no_error() {
    let env = TestEnv::published().await;
    let mut export = env.tvshows(&["export", "all_shows"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(export.stdout.take().unwrap()).lines();
    assert!(lines.next_line().await.unwrap().unwrap().starts_with("id,name,"));
    drop(lines);
    assert!(export.wait().await.unwrap().success());
}

/// Runs a shell script in which `tvshows` is the binary, and returns what it prints.
#[cfg(unix)]
async fn bash(env: &TestEnv, script: &str) -> String {
    let binary = env.tvshows(&[]);
    let binary = binary.as_std();
    let mut bash = tokio::process::Command::new("bash");
    bash.current_dir(env.folder())
        .args(["-c", &format!("set -e; tvshows() {{ \"$0\" \"$@\"; }}; {script}")]);
    let output = bash.arg(binary.get_program()).output().await.unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{script}: {error}");
    text(output.stdout)
}

#[cfg(unix)]
#[tokio::test]
async fn pipes_devices_and_descriptors_are_written_and_not_replaced() {
    let env = TestEnv::published().await;
    let table = stdout_of(&env, &["export", "top_shows"]).await;
    for script in [
        "mkfifo pipe; cat pipe & tvshows export top_shows -o pipe; wait; test -p pipe",
        "ln -s pipe link; cat pipe & tvshows export top_shows -o link; wait; test -L link; test -p pipe",
        "tvshows export top_shows -o /dev/stdout; test -L /dev/stdout",
        "tvshows export top_shows -o /dev/stdout | cat",
        "tvshows export top_shows -o /dev/fd/1",
        "exec 3>&1; tvshows export top_shows -o >(cat >&3)",
        "tvshows export top_shows -o /dev/fd/3 3>&1 >/dev/null | cat",
        "tvshows export top_shows -o /dev/null; test -c /dev/null; tvshows export top_shows",
    ] {
        assert!(bash(&env, script).await == table, "{script}");
    }
    // A file behind a descriptor may have content already.
    for output in ["-", "/dev/stdout", "/proc/self/fd/1"] {
        if output.starts_with("/proc") && !cfg!(target_os = "linux") {
            continue;
        }
        let script = format!(
            "echo first > all; {{ tvshows export top_shows -o {output}; echo last; }} >> all; cat all"
        );
        assert!(bash(&env, &script).await == format!("first\n{table}last\n"), "{output}");
    }
    let script = "echo first > more; tvshows export top_shows -o /dev/fd/3 3>> more; cat more";
    assert!(bash(&env, script).await == format!("first\n{table}"));
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_and_the_mode_of_a_file_stay() {
    let env = TestEnv::published().await;
    let table = stdout_of(&env, &["export", "top_shows"]).await;
    let script = "umask 022; mkdir folder; ln -s folder/real.csv link.csv; \
                  tvshows export top_shows -o link.csv; chmod 600 folder/real.csv; \
                  tvshows export top_shows -o link.csv; test -L link.csv; \
                  tvshows export top_shows -o new.csv; \
                  ls -l folder new.csv | grep csv | cut -c1-10; ls folder";
    let printed = bash(&env, script).await;
    assert_eq!(printed, "-rw-r--r--\n-rw-------\nreal.csv\n", "in the order of ls");
    assert_eq!(std::fs::read_to_string(env.path("folder/real.csv")).unwrap(), table);

    let error = stderr_of_failure(&env, &["export", "top_shows", "-o", "folder"]).await;
    assert!(error.contains("folder") && error.contains("directory"), "{error}");
    let error = stderr_of_failure(&env, &["export", "database", "-o", "./tvshows.db"]).await;
    assert!(error.contains("the database itself"), "{error}");
    assert!(env.update().await.status.success());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn an_output_without_space_is_named() {
    let env = TestEnv::published().await;
    for target in ["all_shows", "database"] {
        let error = stderr_of_failure(&env, &["export", target, "-o", "/dev/full"]).await;
        assert!(error.contains("/dev/full") && error.contains("No space left"), "{error}");
    }
}

#[tokio::test]
async fn an_ending_chooses_the_format_or_is_refused() {
    let env = TestEnv::published().await;
    let read = |name: &str| std::fs::read(env.path(name)).unwrap();
    for (name, start) in [
        ("shows.csv", &b"id,name"[..]),
        ("shows.ndjson", b"{\"id\""),
        ("shows.jsonl", b"{\"id\""),
        ("SHOWS.PQ", b"PAR1"),
        ("shows.csv.gz", b"\x1f\x8b"),
        ("shows.jsonl.gz", b"\x1f\x8b"),
    ] {
        stdout_of(&env, &["export", "top_shows", "-o", name]).await;
        assert!(read(name).starts_with(start), "{name}");
    }
    for arguments in [
        ["-o", "shows.xlsx"].as_slice(),
        &["-o", "shows.json"],
        &["-o", "shows.parquet.gz"],
        &["-o", "shows"],
        &["-o", "other.csv", "--format", "parquet"],
        &["-o", "other.parquet", "--dialect", "excel"],
        &["-o", "other.csv", "--dialect", "libreoffice"],
    ] {
        let export = [&["export", "top_shows"], arguments].concat();
        let output = env.tvshows(&export).output().await.unwrap();
        let error = text(output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {error}");
        assert!(!env.path(arguments[1]).exists(), "{arguments:?}");
        assert!(error.contains(arguments[1]) || error.contains("--dialect"), "{error}");
    }
    let output = env.tvshows(&["export", "database", "-o", "copy.csv"]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(2));
}

#[tokio::test]
async fn a_spreadsheet_gets_a_byte_order_mark_and_no_formulas() {
    let env = TestEnv::published().await;
    let rename = "UPDATE Top_Shows SET name = '=1+1' WHERE rank = 1";
    assert_eq!(env.connection().execute(rename, []), Ok(1));
    let standard = stdout_of(&env, &["export", "top_shows"]).await;
    assert!(standard.starts_with("id,") && standard.contains(",=1+1,"), "{standard}");
    let excel = stdout_of(&env, &["export", "top_shows", "--dialect", "excel"]).await;
    assert_eq!(excel, format!("\u{feff}{}", standard.replace(",=1+1,", ",'=1+1,")));
}
