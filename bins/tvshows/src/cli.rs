//! What the command line takes. Library constants are the defaults, so that help and library agree.

mod query;

use std::net::IpAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, Parser, Subcommand, ValueEnum};
use jiff::{Span, SpanRelativeTo};
use secrecy::{ExposeSecret, SecretString};
use tvshows_api::{AccessPolicy, AllowedOrigins, ApiToken, InvalidApiToken};
use tvshows_core::{FetchMode, RunParameters, TopLimit, Years};
use tvshows_pipeline::Schedule;

use crate::config::WrongSetting;

pub(crate) use query::{
    Completions, Database, Export, Healthcheck, Runs, Search, Show, Status, Top,
};

/// Mirrors TVmaze's catalogue of TV shows into a local SQLite database and serves it.
///
/// A run publishes a complete and correct snapshot or changes nothing.
#[derive(Parser)]
#[command(version = version(), after_help = AFTER_HELP)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// A TOML file with settings: the names of the environment variables in lower case
    #[arg(long, value_name = "FILE", env = "TVSHOWS_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,
}

/// The version, and the commit where whoever built it told.
fn version() -> String {
    let version = env!("CARGO_PKG_VERSION");
    match option_env!("TVSHOWS_REVISION") {
        None | Some("") => version.into(),
        Some(revision) => format!("{version} ({revision})"),
    }
}

const AFTER_HELP: &str = "\
Settings come from flags, then the environment, then the file of --config, then the defaults.

Examples:
  tvshows serve --update                 serve http://localhost:8000 and begin an update at once
  tvshows serve --refresh '0 4 * * *'    serve, and begin an update each day at four (UTC)
  tvshows update --database-path my.db   one update, with a progress bar
  tvshows update --base-url demo --database-path demo.db
                                         the same against the built-in simulator, without a network
  tvshows search space station           shows by words of their names and summaries
  tvshows export all_shows -o shows.csv
  tvshows sim --fault 'status:500@/shows?page=7'

Exit codes: 0 done (for update: published; for verify: nothing differs), 1 failed, 2 wrong usage or settings, 130 stopped by a signal.
Data: TVmaze (https://www.tvmaze.com), licensed CC BY-SA 4.0.";

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Serve the published shows and the runs over HTTP, until a signal
    Serve(Serve),
    /// Do one update in this process, with a progress bar on stderr and a summary on stdout
    ///
    /// Goes on with an update that was interrupted; follows the update of another process with the same
    /// parameters.
    Update(Update),
    /// Tell how an update goes, or went
    Status(Status),
    /// List the last updates, newest first
    Runs(Runs),
    /// List the top shows, best first
    Top(Top),
    /// Show what is known of a show
    Show(Show),
    /// List shows by words, language, genre, rating and so on
    Search(Search),
    /// Write a table, or the whole database, to a file or stdout
    Export(Export),
    /// Compare the database with TVmaze, and check that its file is sound; changes nothing
    ///
    /// Exit code 0 where they are equal, 1 where an update is due or the file is damaged.
    Verify(Verify),
    /// Run a stand-in of TVmaze, until a signal
    Sim(Sim),
    /// Ask the service on this machine whether it can do its work, for a container's health check
    Healthcheck(Healthcheck),
    /// Print the OpenAPI document of the service
    #[command(after_help = "Examples:\n  tvshows openapi > openapi.json")]
    Openapi,
    /// Print what completes the commands in a shell
    Completions(Completions),
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows serve --update\n  tvshows serve --refresh '0 4 * * *' --redis-url redis://localhost\n  tvshows serve --base-url demo --database-path demo.db --update"
)]
pub(crate) struct Serve {
    /// Begin an update at once
    #[arg(long)]
    pub(crate) update: bool,

    /// Begin updates by a cron pattern, in UTC: "0 4 * * *" is each day at four
    #[arg(long, value_name = "CRON", env = "REFRESH", value_parser = Schedule::cron)]
    refresh: Option<Schedule>,

    /// Begin an update so long after the last one has begun: 24h
    #[arg(long, value_name = "TIME", env = "REFRESH_EVERY", value_parser = every, conflicts_with = "refresh")]
    refresh_every: Option<Schedule>,

    /// The address to listen at; 0.0.0.0 for every address of this machine
    #[arg(long, env = "HOST", default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// The port to listen at; 0 for any free one
    #[arg(long, env = "PORT", default_value_t = 8000)]
    pub(crate) port: u16,

    /// The origins whose web pages may use the service from a browser, such as `https://example.org`, with
    /// commas between; `*` for all
    #[arg(long, value_name = "ORIGINS", env = "CORS_ORIGINS", default_value = "")]
    pub(crate) cors_origins: AllowedOrigins,

    /// The token that a request needs which starts or cancels an update; without one, everybody may. Best set
    /// in the environment or the file: others on this machine can read command lines
    #[arg(
        long,
        value_name = "TOKEN",
        env = "API_TOKEN",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub(crate) api_token: Option<SecretString>,

    /// How many such requests are taken a minute from one address; 0 for any number
    #[arg(long, value_name = "NUMBER", env = "POST_RATE_LIMIT", default_value_t = 600)]
    pub(crate) post_rate_limit: u32,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

impl Serve {
    /// Who may use the service.
    pub(crate) fn access(&self) -> Result<AccessPolicy, WrongSetting> {
        let wrong = |error: InvalidApiToken| WrongSetting {
            setting: "API_TOKEN",
            problem: error.to_string(),
        };
        let given = self.api_token.clone().filter(|token| !token.expose_secret().is_empty());
        Ok(AccessPolicy {
            origins: self.cors_origins.clone(),
            token: given.map(ApiToken::try_from).transpose().map_err(wrong)?,
            posts_per_minute: NonZeroU32::new(self.post_rate_limit),
        })
    }

    pub(crate) fn schedule(&self) -> Option<&Schedule> {
        self.refresh.as_ref().or(self.refresh_every.as_ref())
    }
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows update\n  tvshows update --years 5 --top 20 --mode full\n  tvshows update --base-url demo --database-path demo.db    without a network"
)]
pub(crate) struct Update {
    /// How many calendar years back a top show may have premiered, 0 to 200
    #[arg(long, default_value_t)]
    years: Years,

    /// How many top shows are kept, 1 to 1000
    #[arg(long, default_value_t)]
    top: TopLimit,

    /// `auto` fetches what is new, changed or aged, and everything the first time; `full` everything
    #[arg(long, default_value_t)]
    mode: FetchMode,

    /// Print the outcome as JSON, as the `status` of `GET /pipeline/status/{request_id}`
    #[arg(long)]
    pub(crate) json: bool,

    /// Begin anew in place of going on with an update that was interrupted
    #[arg(long)]
    pub(crate) restart: bool,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

impl Update {
    pub(crate) fn parameters(&self) -> RunParameters {
        RunParameters { years: self.years, top: self.top, mode: self.mode }
    }
}

/// What every command that touches the data needs.
#[derive(Args)]
pub(crate) struct Settings {
    /// The database file; made when missing
    #[arg(long, value_name = "FILE", env = "DATABASE_PATH", default_value = "tvshows.db")]
    pub(crate) database_path: PathBuf,

    /// The Redis server for progress, `redis://[user:password@]host[:port][/db]`, `rediss://` for TLS;
    /// without one, progress stays in this process
    #[arg(
        long,
        value_name = "URL",
        env = "REDIS_URL",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub(crate) redis_url: Option<SecretString>,

    #[command(flatten)]
    pub(crate) upstream: BaseUrl,

    /// Fetch an index page again after this time although nothing on it is known to have changed, since
    /// ratings move unannounced; 0 is always
    #[arg(long, value_name = "TIME", env = "MAX_AGE", default_value = "7d", value_parser = age)]
    pub(crate) max_age: Duration,

    /// Send traces to a collector by OTLP over HTTP, such as `http://localhost:4318`
    #[arg(long, value_name = "URL", env = "OTLP_ENDPOINT", hide_env_values = true)]
    pub(crate) otlp_endpoint: Option<String>,

    /// How log lines look
    #[arg(long, env = "LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

/// Where TVmaze is.
#[derive(Args)]
pub(crate) struct BaseUrl {
    /// Where TVmaze's API is; `demo` is the built-in simulator
    #[arg(
        long = "base-url",
        value_name = "URL",
        env = "TVMAZE_BASE_URL",
        default_value = tvmaze_client::DEFAULT_BASE_URL,
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) tvmaze_base_url: String,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  tvshows verify\n  tvshows verify && echo up to date")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) upstream: BaseUrl,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows sim --shows 1000 --limit 20/10s\n  tvshows sim --fault 'status:500*2@/shows?page=7' --latency 50"
)]
pub(crate) struct Sim {
    /// How many shows the synthetic catalogue has
    #[arg(long, default_value_t = 90_000)]
    pub(crate) shows: u32,

    /// The seed of the synthetic catalogue: the same seed gives the same shows
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// A folder of recorded answers in place of the synthetic catalogue: pages/N.json, cast/ID.json,
    /// updates.json
    #[arg(long, value_name = "DIR", conflicts_with_all = ["shows", "seed"])]
    pub(crate) data: Option<PathBuf>,

    /// The time that every answer takes, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = milliseconds)]
    pub(crate) latency: Duration,

    /// A rate limit such as `20/10s`: beyond it, answers are 429
    #[arg(long, value_name = "CALLS/TIME")]
    pub(crate) limit: Option<tvmaze_sim::RateLimit>,

    /// Answers of 429 carry Retry-After
    #[arg(long, requires = "limit")]
    pub(crate) retry_after: bool,

    /// Only the first answer for a path counts against the limit, as behind a cache
    #[arg(long, requires = "limit")]
    pub(crate) cached_exempt: bool,

    /// A fault, `KIND[:ARG][*TIMES]@PATH`, such as `status:500@/shows?page=7`, `cut*2@/shows?page=3` or
    /// `hang@/shows/1/cast`; kinds: status:CODE, cut, malformed, object, hang, reset, missing
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Vec<tvmaze_sim::Fault>,

    /// The address to listen at
    #[arg(long, default_value = "127.0.0.1")]
    pub(crate) host: IpAddr,

    /// The port to listen at; 0 for any free one
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
}

/// Reads `7d`, `36h` or `1d 12h`; a day is 24 hours.
fn age(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let days = SpanRelativeTo::days_are_24_hours();
    let parsed = text.parse::<Span>().and_then(|span| span.to_duration(days));
    let age = parsed.ok().and_then(|duration| Duration::try_from(duration).ok());
    age.ok_or_else(|| "must be a time such as 7d, 36h or 0".into())
}

fn every(text: &str) -> Result<Schedule, String> {
    Schedule::every(age(text)?).map_err(|error| error.to_string())
}

fn milliseconds(text: &str) -> Result<Duration, std::num::ParseIntError> {
    text.parse().map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_time_or_0() {
        assert_eq!(age("7d"), Ok(tvshows_pipeline::DEFAULT_MAX_AGE));
        assert_eq!(age("1d 12h"), age("36h"));
        assert_eq!(age("0"), Ok(Duration::ZERO));
        for wrong in ["", "7", "-7d", "soon", "1mo"] {
            assert!(age(wrong).is_err(), "{wrong}");
        }
    }
}
