//! The systemd unit of docs/deploy.md.

use std::path::Path;
use std::process::Command;
use tvshows_testkit::TestEnv;

fn unit() -> String {
    let document = include_str!("../../../docs/deploy.md");
    let unit = document.split_once("```ini\n").and_then(|(_, rest)| rest.split_once("```"));
    unit.expect("docs/deploy.md has a unit").0.to_owned()
}

#[test]
fn systemd_accepts_the_unit_and_finds_little_exposed() {
    if Command::new("systemd-analyze").arg("--version").output().is_err() {
        eprintln!("skipped: this system has no systemd-analyze");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.service");
    let executable = Path::new(env!("CARGO_BIN_EXE_tvshows")).to_str().unwrap();
    std::fs::write(&path, unit().replace("/usr/local/bin/tvshows", executable)).unwrap();
    let verify = ["verify", "--man=no"];
    // From 0 to 100, by systemd's own measure.
    let security = ["security", "--no-pager", "--offline=true", "--threshold=20"];
    for arguments in [&verify[..], &security] {
        let analyzed = Command::new("systemd-analyze").args(arguments).arg(&path).output().unwrap();
        let (output, error) = (analyzed.stdout, String::from_utf8_lossy(&analyzed.stderr));
        let output = String::from_utf8_lossy(&output);
        assert!(analyzed.status.success(), "{output}{error}");
        assert_eq!(error, "", "{arguments:?}");
    }
}

#[tokio::test]
async fn an_invalid_setting_ends_with_the_status_that_is_not_restarted() {
    let status = unit()
        .lines()
        .find_map(|line| line.strip_prefix("RestartPreventExitStatus=")?.parse::<i32>().ok());
    let env = TestEnv::new(&[]).await;
    for (name, value) in [
        ("PORT", "http"),
        ("HOST", "nowhere.invalid"),
        ("API_TOKEN", "short"),
        ("LOG_FORMAT", "xml"),
        ("TVSHOWS_CONFIG", "/nowhere/tvshows.toml"),
    ] {
        let output = env.tvshows(&["serve"]).env(name, value).output().await.unwrap();
        assert_eq!(output.status.code(), status, "{name}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(!error.is_empty(), "{name}");
    }
}
