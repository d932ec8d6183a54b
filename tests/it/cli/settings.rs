//! Settings from flags, the environment and a file.

use tvshows_testkit::TestEnv;

use super::text;

#[tokio::test]
async fn settings_come_from_flags_then_environment_then_file() {
    let env = TestEnv::new(&[]).await;
    let path = |name: &str| env.path(name);
    std::fs::write(path("settings.toml"), "database_path = \"file.db\"\n").unwrap();
    let mut command = env.tvshows(&["update", "--config", "settings.toml"]);
    assert!(command.output().await.unwrap().status.success());
    assert!(path("file.db").exists());
    command.env("DATABASE_PATH", "environment.db");
    assert!(command.output().await.unwrap().status.success());
    assert!(path("environment.db").exists());
    command.args(["--database-path", "flag.db"]);
    assert!(command.output().await.unwrap().status.success());
    assert!(path("flag.db").exists() && !path("tvshows.db").exists());
}

#[tokio::test]
async fn a_wrong_setting_stops_the_start_with_a_sentence() {
    let env = TestEnv::new(&[]).await;
    std::fs::write(env.path("wrong.toml"), "databse_path = \"x.db\"").unwrap();
    std::fs::write(env.path("text.db"), "no database at all".repeat(100)).unwrap();
    let cases: &[(&[&str], i32, &str)] = &[
        (&["update", "--years", "201"], 2, "--years"),
        (&["update", "--top", "0"], 2, "--top"),
        (&["update", "--mode", "some"], 2, "--mode"),
        (&["update", "--config", "wrong.toml"], 2, "databse_path"),
        (&["update", "--config", "none.toml"], 2, "none.toml"),
        (&["update", "--base-url", "tvmaze.com"], 2, "tvmaze.com"),
        (&["update", "--redis-url", "http://x"], 2, "REDIS_URL"),
        (&["update", "--database-path", "text.db"], 1, "DATABASE_PATH"),
        (&["update", "--database-path", "no/folder.db"], 1, "no/folder.db"),
        (&["serve", "--port", "70000"], 2, "70000"),
        (&["sim", "--fault", "explode@/shows"], 2, "explode"),
    ];
    for (arguments, code, expected) in cases {
        let output = env.tvshows(arguments).output().await.unwrap();
        let err = text(output.stderr);
        assert_eq!(output.status.code(), Some(*code), "{arguments:?}: {err}");
        assert!(err.contains(expected) && !err.contains("panicked"), "{arguments:?}: {err}");
    }
}
