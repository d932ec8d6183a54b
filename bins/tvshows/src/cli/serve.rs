use std::net::IpAddr;
use std::num::NonZeroU32;
use std::time::Duration;

use clap::{Parser, ValueEnum};
use jiff::tz::{self, TimeZone, TimeZoneName};
use secrecy::{ExposeSecret, SecretString};
use tvshows_api::{
    AccessPolicy, AllowedOrigins, ApiToken, DEFAULT_CONNECTIONS, InvalidApiToken, TrustedProxies,
};
use tvshows_pipeline::{RunnerRole, Schedule};

use crate::cli::settings::{Settings, parse_duration, parse_host};
use crate::config_error::ConfigError;
use crate::location::Location;

const MIN_MAX_STALENESS: Duration = Duration::from_secs(1);
const DEFAULT_MAX_STALENESS: Duration = Duration::from_mins(10);

/// The options of `tvshows serve`, which are the settings of the service.
#[derive(Parser)]
#[command(
    after_help = "Examples:\n  tvshows serve --update\n  tvshows serve --schedule 'every 24h' --redis-url redis://localhost\n  tvshows serve --tvmaze-base-url demo --database-path demo.db --update"
)]
pub struct Serve {
    /// Start an update immediately
    #[arg(long)]
    pub(crate) update: bool,

    /// Schedule for automatic updates: a cron expression (`0 4 * * *` is every day at 04:00), or an interval from the
    /// start of one update to the next (`every 24h`)
    #[arg(long, env = "SCHEDULE", value_parser = parse_schedule)]
    pub(crate) schedule: Option<Schedule>,

    /// Time zone of the cron expression: an IANA name, such as `Europe/Berlin`
    #[arg(
        long,
        value_name = "ZONE",
        env = "SCHEDULE_TIMEZONE",
        default_value = "UTC",
        value_parser = parse_time_zone
    )]
    pub(crate) schedule_timezone: TimeZone,

    /// Whether this process runs updates; off: it only serves. With `DATABASE_URL`, it still accepts requests for updates,
    /// which another replica runs; otherwise, it rejects them
    #[arg(
        long,
        value_name = "on|off",
        env = "UPDATES",
        default_value = "on",
        hide_possible_values = true
    )]
    pub(crate) updates: Updates,

    /// With `DATABASE_URL`, how old the local copy may be: without contact to the database for longer than this, reads
    /// return 503; at least 1s, and 10min if unset
    #[arg(
        long,
        value_name = "DURATION",
        env = "MAX_STALENESS",
        value_parser = parse_max_staleness
    )]
    pub(crate) max_staleness: Option<Duration>,

    /// Address to listen on, an IP address or localhost; 0.0.0.0 for all interfaces
    #[arg(long, env = "HOST", default_value = "127.0.0.1", value_parser = parse_host)]
    pub(crate) host: IpAddr,

    /// Port to listen on; 0 for any free port
    #[arg(long, env = "PORT", default_value_t = 8000)]
    pub(crate) port: u16,

    /// Another port of the same host for `/health/live`, `/health/ready`, and `/metrics`, which then respond even if all
    /// connections are in use
    #[arg(long, value_name = "PORT", env = "HEALTH_PORT")]
    pub(crate) health_port: Option<u16>,

    /// Comma-separated origins of web pages that may use the API from a browser, such as `https://example.org`; `*`
    /// for all
    #[arg(long, value_name = "ORIGINS", env = "CORS_ORIGINS", default_value = "")]
    pub(crate) cors_origins: AllowedOrigins,

    /// Bearer token required to start or cancel updates; if unset, these endpoints are open. Prefer the environment
    /// or the file: other users of the machine can see command-line flags
    #[arg(
        long,
        value_name = "TOKEN",
        env = "API_TOKEN",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub(crate) api_token: Option<SecretString>,

    /// Maximum number of requests per minute from one address that start or cancel updates; 0 for no limit
    #[arg(long, value_name = "REQUESTS", env = "POST_RATE_LIMIT", default_value_t = 600)]
    pub(crate) post_rate_limit: u32,

    /// For how many seconds a CDN may serve data without asking the service; 0 to make it revalidate each response.
    /// Sent as `CDN-Cache-Control`, with a `Surrogate-Key` of the snapshot
    #[arg(long, value_name = "SECONDS", env = "CDN_MAX_AGE", default_value_t = 0)]
    pub(crate) cdn_max_age: u32,

    /// Comma-separated addresses and networks of reverse proxies, such as `10.0.0.0/8,::1`. For their requests, the
    /// client's address comes from `X-Forwarded-For` or `Forwarded`
    #[arg(long, value_name = "NETWORKS", env = "TRUSTED_PROXIES", default_value = "")]
    pub(crate) trusted_proxies: TrustedProxies,

    /// Maximum number of connections; nine tenths of them can be event streams and long polls
    #[arg(long, env = "CONNECTIONS", default_value_t = DEFAULT_CONNECTIONS)]
    pub(crate) connections: NonZeroU32,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

/// Whether a service runs updates.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Updates {
    On,
    Off,
}

impl Serve {
    /// Returns what this service does with requests for updates.
    pub(crate) fn role(&self) -> Result<RunnerRole, ConfigError> {
        if self.updates == Updates::On {
            return Ok(RunnerRole::Worker);
        }
        let contradicted =
            |problem: &str| ConfigError { setting: "updates", problem: problem.into() };
        if self.update {
            return Err(contradicted("off contradicts --update; remove one of them"));
        }
        if self.schedule.is_some() {
            return Err(contradicted("off contradicts SCHEDULE; remove one of them"));
        }
        Ok(match self.settings.database.location()? {
            Location::Shared(_) => RunnerRole::Submitter,
            Location::File(_) => RunnerRole::Reader,
        })
    }

    /// How old the copy of the database at `location` may be.
    pub(crate) fn max_staleness(&self, location: &Location) -> Result<Duration, ConfigError> {
        match (self.max_staleness, location) {
            (Some(_), Location::File(_)) => Err(ConfigError {
                setting: "max_staleness",
                problem: "applies to the copy of a shared database; set DATABASE_URL, or remove it"
                    .into(),
            }),
            (max_staleness, _) => Ok(max_staleness.unwrap_or(DEFAULT_MAX_STALENESS)),
        }
    }

    /// The port for probes and metrics, if they have one of their own.
    pub(crate) fn health_port(&self) -> Result<Option<u16>, ConfigError> {
        match self.health_port {
            Some(port) if port == self.port && port != 0 => Err(ConfigError {
                setting: "health_port",
                problem: format!("must not be {port}, which is PORT; choose another port"),
            }),
            port => Ok(port),
        }
    }

    pub(crate) fn access(&self) -> Result<AccessPolicy, ConfigError> {
        let invalid = |error: InvalidApiToken| ConfigError {
            setting: "api_token",
            problem: error.to_string(),
        };
        let token = self.api_token.clone().filter(|token| !token.expose_secret().is_empty());
        Ok(AccessPolicy {
            origins: self.cors_origins.clone(),
            token: token.map(ApiToken::try_from).transpose().map_err(invalid)?,
            posts_per_minute: NonZeroU32::new(self.post_rate_limit),
            trusted_proxies: self.trusted_proxies.clone(),
            max_connections: self.connections,
        })
    }
}

/// Parses `0 4 * * *` or `every 24h`.
fn parse_schedule(text: &str) -> Result<Schedule, String> {
    let schedule = match text.strip_prefix("every ") {
        Some(interval) => Schedule::every(parse_duration(interval.trim_start())?),
        None => Schedule::cron(text),
    };
    schedule.map_err(|error| error.to_string())
}

/// Parses a duration that is longer than the replica needs to notice that its database is unavailable.
fn parse_max_staleness(text: &str) -> Result<Duration, String> {
    match parse_duration(text)? {
        short if short < MIN_MAX_STALENESS => Err("must be at least 1s".into()),
        duration => Ok(duration),
    }
}

/// Parses the name of a time zone, or suggests a similar one.
fn parse_time_zone(name: &str) -> Result<TimeZone, String> {
    TimeZone::get(name).map_err(|_| {
        let name = name.to_lowercase();
        let similarity = |zone: &TimeZoneName| {
            let zone = zone.as_str().to_lowercase();
            let city = zone.rsplit('/').next().unwrap_or_default();
            strsim::jaro_winkler(&name, &zone).max(strsim::jaro_winkler(&name, city))
        };
        let nearest = tz::db().available().max_by(|a, b| similarity(a).total_cmp(&similarity(b)));
        let nearest = nearest.map_or_else(String::new, |zone| zone.to_string());
        format!("must be the IANA name of a time zone; did you mean {nearest}?")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_zone_has_an_iana_name() {
        for zone in ["UTC", "Europe/Berlin", "america/new_york", "Asia/Kathmandu"] {
            assert!(parse_time_zone(zone).is_ok(), "{zone}");
        }
        for (invalid, nearest) in [
            ("Berlin", "Europe/Berlin"),
            ("Europe/Berln", "Europe/Berlin"),
            ("New York", "America/New_York"),
            ("+02:00", "?"),
        ] {
            let error = parse_time_zone(invalid).unwrap_err();
            assert!(error.contains("IANA") && error.contains(nearest), "{error}");
        }
    }

    #[test]
    fn a_schedule_is_a_cron_expression_or_an_interval() {
        for schedule in ["0 4 * * *", "every 24h", "every  1d 12h"] {
            assert!(parse_schedule(schedule).is_ok(), "{schedule}");
        }
        for (invalid, problem) in [
            ("at four", "must be a cron expression"),
            ("24h", "or an interval such as \"every 24h\""),
            ("every day", "must be a duration"),
            ("every 10s", "at least one minute"),
            ("every 0", "at least one minute"),
        ] {
            let error = parse_schedule(invalid).unwrap_err();
            assert!(error.contains(problem), "{invalid}: {error}");
        }
    }
}
