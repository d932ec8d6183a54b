//! `--help` and `tvshows completions`.

use tvshows_testkit::tvshows;

use super::text;

#[tokio::test]
async fn every_command_has_help_and_every_shell_its_completions() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let script = tvshows(&["completions", shell]).output().await.unwrap();
        assert!(text(script.stdout).contains("verify"), "{shell}");
    }
    for command in [
        "serve",
        "update",
        "status",
        "cancel",
        "runs",
        "top",
        "show",
        "search",
        "schedule",
        "export",
        "verify",
        "copy",
        "migrate",
        "sim",
        "healthcheck",
        "openapi",
        "completions",
    ] {
        let help = tvshows(&[command, "--help"]).output().await.unwrap();
        assert!(text(help.stdout).contains("Examples:"), "{command}");
    }
}

#[tokio::test]
async fn help_names_every_command_and_setting() {
    let help = text(tvshows(&["--help"]).output().await.unwrap().stdout);
    for word in ["serve", "update", "sim", "verify", "openapi", "Exit codes", "TVmaze"] {
        assert!(help.contains(word), "{word}");
    }
    let help = text(tvshows(&["serve", "--help"]).output().await.unwrap().stdout);
    for word in
        ["DATABASE_PATH", "REDIS_URL", "TVMAZE_BASE_URL", "HOST", "PORT", "LOG_FORMAT", "--update"]
    {
        assert!(help.contains(word), "{word}");
    }
}

#[tokio::test]
async fn only_filters_are_listed_as_filters() {
    for command in ["search", "schedule", "export"] {
        let help = text(tvshows(&[command, "--help"]).output().await.unwrap().stdout);
        let (_, filters) = help.split_once("Filters:").unwrap();
        assert!(filters.contains("--min-rating"), "{command}");
        assert!(!filters.contains("--database-url-file"), "{command}");
    }
}
