use std::net::IpAddr;
use std::num::ParseIntError;
use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use jiff::civil::Date;

use crate::cli::settings::parse_host;

#[derive(Args)]
#[command(
    after_help = "Endpoints:\n  /shows?page=N, /shows/ID (embed=cast, episodes, seasons, nextepisode, previousepisode),\n  /shows/ID/cast, /shows/ID/episodes?specials=1, /shows/ID/seasons, /shows/ID/episodebynumber?season=&number=,\n  /shows/ID/episodesbydate?date=, /episodes/ID (embed=show), /schedule?country=US&date=, /schedule/web?country=&date=,\n  /schedule/full, /search/shows?q=, /singlesearch/shows?q=, /lookup/shows?imdb= (thetvdb=, tvrage=),\n  /updates/shows?since=day (week, month)\n\nExamples:\n  tvshows sim --shows 1000 --limit 20/10s\n  tvshows sim --fault 'status:500*2@/shows?page=7' --latency 50"
)]
pub(crate) struct Sim {
    /// Number of shows in the synthetic catalog
    #[arg(long, default_value_t = 90_000)]
    pub(crate) shows: u32,

    /// Seed of the synthetic catalog; the same seed generates the same shows on the same date
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,

    /// Date of the synthetic catalog: running shows have weekly episodes around it; defaults to today in UTC, and an
    /// earlier date than 2026-07-01 counts as that date
    #[arg(long, value_name = "DATE")]
    pub(crate) date: Option<Date>,

    /// Directory of recorded responses to serve instead of the synthetic catalog: pages/N.json, cast/ID.json,
    /// episodes/ID.json, seasons/ID.json, updates.json
    #[arg(long, value_name = "DIR", conflicts_with_all = ["shows", "seed", "date"])]
    pub(crate) data: Option<PathBuf>,

    /// Latency of each response, in milliseconds
    #[arg(long, value_name = "MS", default_value = "0", value_parser = parse_milliseconds)]
    pub(crate) latency: Duration,

    /// Rate limit, such as `20/10s`; requests above it get 429 responses
    #[arg(long, value_name = "REQUESTS/TIME")]
    pub(crate) limit: Option<tvmaze_sim::RateLimit>,

    /// Send Retry-After with 429 responses
    #[arg(long, requires = "limit")]
    pub(crate) retry_after: bool,

    /// Count only the first request for each path against the limit, as if behind a cache
    #[arg(long, requires = "limit")]
    pub(crate) cached_exempt: bool,

    /// Fault to inject, `KIND[:ARG][*TIMES]@PATH`, such as `status:500@/shows?page=7`, `truncate*2@/shows?page=3`, or
    /// `hang@/shows/1/cast`; kinds: status:CODE, truncate, malformed, wrong-shape, hang, reset, not-found
    #[arg(long, value_name = "FAULT")]
    pub(crate) fault: Vec<tvmaze_sim::Fault>,

    /// Address to listen on, an IP address or localhost; 0.0.0.0 for all interfaces
    #[arg(long, default_value = "127.0.0.1", value_parser = parse_host)]
    pub(crate) host: IpAddr,

    /// Port to listen on; 0 for any free port
    #[arg(long, default_value_t = 8080)]
    pub(crate) port: u16,
}

fn parse_milliseconds(text: &str) -> Result<Duration, ParseIntError> {
    text.parse().map(Duration::from_millis)
}
