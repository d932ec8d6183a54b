//! `tvshows export`.

use super::{stderr_of_failure, stdout_of};
use std::process::Stdio;
use tokio::io::{AsyncBufReadExt, BufReader};
use tvshows_testkit::{Service, TestEnv, dump_tables};

#[tokio::test]
async fn a_table_is_exported_as_the_service_gives_it_away() {
    let env = TestEnv::published().await;
    let service = Service::start(&env, &[]).await;
    for (name, format) in [("top_shows", "csv"), ("top_shows_cast", "ndjson"), ("all_shows", "csv")]
    {
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
async fn who_reads_no_further_is_no_error() {
    let env = TestEnv::published().await;
    let mut export = env.tvshows(&["export", "all_shows"]).stdout(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(export.stdout.take().unwrap()).lines();
    assert!(lines.next_line().await.unwrap().unwrap().starts_with("id,name,"));
    drop(lines);
    assert!(export.wait().await.unwrap().success());
}
