//! The command line. Library constants are the defaults, so that help and library agree.

mod export;
mod filters;
mod maintenance;
mod query;
mod serve;
mod settings;
mod sim;
mod update;

use std::path::PathBuf;

use clap::{Args, CommandFactory, Parser, Subcommand};
use clap_complete::Shell;

pub(crate) use export::{Content, Export};
pub(crate) use maintenance::{Copy, Migrate};
pub(crate) use query::{Cancel, Runs, Schedule, Search, Show, Status, Top, Verify};
pub use serve::Serve;
pub(crate) use serve::Updates;
pub use settings::Settings;
pub(crate) use settings::{Database, LogFormat, WebhookSettings};
pub(crate) use sim::Sim;
pub(crate) use update::Update;

use crate::config;

/// Mirrors TVmaze's catalog of TV shows in a local SQLite database and serves it over HTTP.
///
/// An update publishes a complete and correct snapshot, or changes nothing.
#[derive(Parser)]
#[command(name = "tvshows", version = version(), after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// TOML file with settings; its keys are the names of the environment variables in lowercase
    #[arg(long, value_name = "FILE", env = "TVSHOWS_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,
}

/// The command line, in which every secret can also come from a file.
pub(crate) fn command() -> clap::Command {
    Cli::command().mut_subcommands(config::add_file_settings)
}

/// The commit, if the build sets it.
pub(crate) fn commit() -> Option<&'static str> {
    option_env!("TVSHOWS_REVISION").filter(|commit| !commit.is_empty())
}

/// The version, with the commit if it is known.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    commit().map_or_else(|| version.into(), |commit| format!("{version} ({commit})"))
}

const AFTER_HELP: &str = "\
Settings are read from flags, environment variables, the --config file, and defaults, in this order of precedence.

Examples:
  tvshows serve --update                 serve http://localhost:8000 and start an update
  tvshows serve --schedule '0 4 * * *'   serve, and start an update every day at 04:00 UTC
  tvshows update --database-path my.db   run one update, with a progress bar
  tvshows update --tvmaze-base-url demo --database-path demo.db
                                         run one with the built-in simulator, without a network
  tvshows search space station           search the names and summaries of shows
  tvshows export all_shows -o shows.csv
  tvshows sim --fault 'status:500@/shows?page=7'

Exit codes: 0 success (update: published; verify: no differences), 1 failure, 2 invalid usage or settings, 130 stopped by a signal.
Data: TVmaze (https://www.tvmaze.com), licensed under CC BY-SA 4.0.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the published shows and the update API over HTTP until a signal arrives
    Serve(Serve),
    /// Run one update, with a progress bar on stderr and a summary on stdout
    ///
    /// Resumes an interrupted update. If another process is running an update with the same parameters, follows
    /// that one.
    Update(Update),
    /// Show the status of an update
    Status(Status),
    /// Cancel an update that waits or runs, in any process
    Cancel(Cancel),
    /// List recent updates, newest first
    Runs(Runs),
    /// List the top shows, best first
    Top(Top),
    /// Show the details, the next episode and the cast of a show
    Show(Show),
    /// Search shows by text, language, genre, rating, and more
    Search(Search),
    /// List the stored episodes that air in the next days
    Schedule(Schedule),
    /// Export a table or the whole database to a file or stdout
    Export(Export),
    /// Check the database file for damage and compare its shows with TVmaze, without changing anything
    ///
    /// Exits with 0 if there are no differences, and with 1 if an update is due or the file is damaged.
    Verify(Verify),
    /// Copy the published shows and the history of updates to an empty database, from SQLite to PostgreSQL or back
    ///
    /// Publishes everything in the other database, or nothing.
    Copy(Copy),
    /// Create the schema of the database, or upgrade it to this release
    ///
    /// `serve` and `update` do the same when they start.
    Migrate(Migrate),
    /// Run a mock TVmaze server until a signal arrives
    Sim(Sim),
    /// Check the readiness of the local service (for container health checks)
    Healthcheck(Healthcheck),
    /// Print the OpenAPI document of the service
    #[command(after_help = "Examples:\n  tvshows openapi > openapi.json")]
    Openapi,
    /// Generate shell completions
    Completions(Completions),
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows healthcheck --port 8000\n  tvshows healthcheck --port 8080 --path /shows/1    a simulator"
)]
pub(crate) struct Healthcheck {
    /// Port of the local service
    #[arg(long, env = "PORT", default_value_t = 8000)]
    pub(crate) port: u16,

    /// Port of the local service for probes; takes precedence over `--port`
    #[arg(long, value_name = "PORT", env = "HEALTH_PORT")]
    pub(crate) health_port: Option<u16>,

    /// Path to request; the response must be 2xx
    #[arg(long, value_name = "PATH", default_value = "/health/ready")]
    pub(crate) path: String,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows completions bash > ~/.local/share/bash-completion/completions/tvshows\n  tvshows completions fish > ~/.config/fish/completions/tvshows.fish"
)]
pub(crate) struct Completions {
    /// Shell to generate completions for
    pub(crate) shell: Shell,
}
