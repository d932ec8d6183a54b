//! Settings that several commands share.

use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::NonEmptyStringValueParser;
use clap::{Args, ValueEnum};
use jiff::{Span, SpanRelativeTo};
use secrecy::{ExposeSecret, SecretString};
use tvshows_core::DetailsFilter;

use crate::config_error::ConfigError;
use crate::location::Location;

/// The settings of the commands that run updates.
#[derive(Args)]
pub struct Settings {
    #[command(flatten)]
    pub(crate) database: Database,

    /// Redis server for sharing progress between instances, `redis://[user:password@]host[:port][/db]`, or
    /// `rediss://` for TLS; if unset, progress stays in the process
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

    /// Maximum age of an index page before it is refetched even if unchanged (ratings change without notice); 0
    /// always refetches
    #[arg(long, value_name = "DURATION", env = "MAX_AGE", default_value = "7d", value_parser = parse_duration)]
    pub(crate) max_age: Duration,

    /// Shows whose episodes and casts are fetched, with one request for each new or changed show: filters as in the
    /// query of `GET /shows`, such as `language=English&status=Running&min_rating=7` or `id=82,169`; `top` fetches only
    /// the casts of the top shows
    #[arg(long, value_name = "FILTERS", env = "DETAILS", default_value = "top")]
    pub(crate) details: DetailsFilter,

    /// Maximum number of shows whose episodes and casts an update may fetch. If it needs more, it fails before it
    /// fetches any of them. `tvshows update --yes` ignores the limit
    #[arg(
        long,
        value_name = "NUMBER",
        env = "MAX_DETAILS",
        default_value_t = tvshows_pipeline::DEFAULT_MAX_DETAILS
    )]
    pub(crate) max_details: u32,

    #[command(flatten)]
    pub(crate) webhook: WebhookSettings,

    /// OpenTelemetry collector to send traces to, using OTLP over HTTP, such as `http://localhost:4318`
    #[arg(
        long = "otlp-endpoint",
        value_name = "URL",
        env = "OTEL_EXPORTER_OTLP_ENDPOINT",
        hide_env_values = true
    )]
    pub(crate) otel_exporter_otlp_endpoint: Option<String>,

    /// Log format
    #[arg(long, value_name = "FORMAT", env = "LOG_FORMAT", default_value = "text")]
    pub(crate) log_format: LogFormat,
}

#[derive(Args)]
pub(crate) struct WebhookSettings {
    /// URL that gets the final status of each update as JSON, in a POST request. Its path can be a secret: only its
    /// host is logged
    #[arg(
        long,
        value_name = "URL",
        env = "WEBHOOK_URL",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub(crate) webhook_url: Option<SecretString>,

    /// Secret that signs the requests to the webhook, by the Standard Webhooks convention: `whsec_` and 24 to 64 bytes
    /// in Base64
    #[arg(
        long,
        value_name = "SECRET",
        env = "WEBHOOK_SECRET",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub(crate) webhook_secret: Option<SecretString>,
}

#[derive(Args)]
pub(crate) struct BaseUrl {
    /// Base URL of the TVmaze API; `demo` uses the built-in simulator
    #[arg(
        long,
        visible_alias = "base-url",
        value_name = "URL",
        env = "TVMAZE_BASE_URL",
        default_value = tvmaze_client::DEFAULT_BASE_URL,
        value_parser = NonEmptyStringValueParser::new()
    )]
    pub(crate) tvmaze_base_url: String,
}

#[derive(Args)]
pub(crate) struct Database {
    /// Database file; an update creates it if it is missing. With `DATABASE_URL`, a local copy of the published shows,
    /// which may be deleted at any time
    #[arg(long, value_name = "FILE", env = "DATABASE_PATH", default_value = "tvshows.db")]
    pub(crate) database_path: PathBuf,

    /// PostgreSQL database that several machines share, `postgres://user:password@host[:port]/database`; if unset, the
    /// file is the database
    #[arg(
        long,
        value_name = "URL",
        env = "DATABASE_URL",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub(crate) database_url: Option<SecretString>,
}

impl Database {
    pub(crate) fn location(&self) -> Result<Location, ConfigError> {
        let path = self.database_path.clone();
        match self.database_url.as_ref().filter(|url| !url.expose_secret().is_empty()) {
            Some(url) => Location::shared("database_url", url, Some(path)),
            None => Ok(Location::File(path)),
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum LogFormat {
    Text,
    Json,
}

/// Parses `7d`, `36h`, or `1d 12h`; a day is 24 hours.
pub(super) fn parse_duration(text: &str) -> Result<Duration, String> {
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let days = SpanRelativeTo::days_are_24_hours();
    let parsed = text.parse::<Span>().and_then(|span| span.to_duration(days));
    let duration = parsed.ok().and_then(|duration| Duration::try_from(duration).ok());
    duration.ok_or_else(|| "must be a duration such as 7d, 36h, or 0".into())
}

/// Parses `localhost`, which is 127.0.0.1, or an IP address, with or without the brackets of URLs.
pub(super) fn parse_host(text: &str) -> Result<IpAddr, &'static str> {
    if text.eq_ignore_ascii_case("localhost") {
        return Ok(Ipv4Addr::LOCALHOST.into());
    }
    let address = text.strip_prefix('[').and_then(|text| text.strip_suffix(']'));
    let address = address.unwrap_or(text).parse();
    address.map_err(|_| "must be localhost or an IP address, such as 127.0.0.1, 0.0.0.0, or ::1")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_is_localhost_or_an_address() {
        for (text, address) in [
            ("localhost", "127.0.0.1"),
            ("LOCALHOST", "127.0.0.1"),
            ("0.0.0.0", "0.0.0.0"),
            ("::1", "::1"),
            ("[::1]", "::1"),
        ] {
            assert_eq!(parse_host(text), Ok(address.parse().unwrap()), "{text}");
        }
        for invalid in ["", "localhst", "[::1", "::1]", "127.0.0.1:8000", "http://localhost"] {
            assert!(parse_host(invalid).is_err(), "{invalid}");
        }
    }

    #[test]
    fn a_duration_has_a_unit_or_is_0() {
        assert_eq!(parse_duration("7d"), Ok(tvshows_pipeline::DEFAULT_MAX_AGE));
        assert_eq!(parse_duration("1d 12h"), parse_duration("36h"));
        assert_eq!(parse_duration("0"), Ok(Duration::ZERO));
        for invalid in ["", "7", "-7d", "soon", "1mo"] {
            assert!(parse_duration(invalid).is_err(), "{invalid}");
        }
    }
}
