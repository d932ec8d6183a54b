//! The commands that read the published shows and the history of updates.

use clap::Args;
use jiff::ToSpan;
use jiff::civil::Date;
use secrecy::SecretString;
use tvshows_core::{
    BoundedInt, DateBound, RunId, ScheduleQuery, ShowFilter, Sort, SortBy, TopLimit,
};

use crate::cli::filters::Filters;
use crate::cli::settings::{BaseUrl, Database, WebhookSettings};

#[derive(Args)]
#[command(after_help = "Examples:\n  tvshows top\n  tvshows top --limit 3 --json")]
pub(crate) struct Top {
    /// Maximum number of shows, 1 to 1000; the database has at most as many as the last update's --top
    #[arg(long, default_value_t)]
    pub(crate) limit: TopLimit,

    /// Print JSON, as in `GET /shows/top_shows`
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows show 82\n  tvshows show 'game of thrones'\n  tvshows show imdb:tt0944947"
)]
pub(crate) struct Show {
    /// TVmaze id of the show, its id in another database (imdb:ID, thetvdb:ID, or tvrage:ID), or words from its name; a
    /// number is looked up as an id first, then as a name
    #[arg(value_name = "ID|NAME", required = true, num_args = 1..)]
    pub(crate) id_or_name: Vec<String>,

    /// Print JSON, as in `GET /shows/{id}`
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows search space station\n  tvshows search --genre comedy --country FR --sort=-rating"
)]
pub(crate) struct Search {
    /// Words that must occur in the name or summary; the last one may be a prefix, and in names, punctuation inside a
    /// word may be omitted (swat finds S.W.A.T.)
    #[arg(value_name = "TEXT")]
    text: Vec<String>,

    /// id, name, rating, premiered, updated, or weight, with a leading - for descending order, or relevance;
    /// defaults to relevance with a text, or else -rating
    #[arg(long, allow_hyphen_values = true)]
    sort: Option<Sort>,

    /// Maximum number of shows, 1 to 1000
    #[arg(long, default_value = "20")]
    pub(crate) limit: TopLimit,

    /// Print JSON, an array of shows as TVmaze sends them
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) database: Database,

    #[command(flatten)]
    filters: Filters,
}

impl Search {
    pub(crate) fn filter(&self) -> anyhow::Result<ShowFilter> {
        self.filters.with_text(&self.text.join(" "))
    }

    pub(crate) fn sort(&self) -> Sort {
        let default = if self.text.is_empty() {
            Sort { by: SortBy::Rating, descending: true }
        } else {
            Sort { by: SortBy::Relevance, descending: false }
        };
        self.sort.unwrap_or(default)
    }
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows schedule\n  tvshows schedule --days 1 --country US\n  tvshows schedule --date 2026-12-24 --id 82,169 --json"
)]
pub(crate) struct Schedule {
    /// Words that must occur in the show's name or summary, as in `tvshows search`
    #[arg(value_name = "TEXT")]
    text: Vec<String>,

    /// First day, in the time zone of each network; defaults to today in UTC
    #[arg(long, value_parser = parse_day)]
    date: Option<Date>,

    /// Number of days, 1 to 31
    #[arg(long, default_value_t)]
    days: BoundedInt<1, 31, 7>,

    /// Print JSON, as in `GET /schedule`
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) database: Database,

    #[command(flatten)]
    filters: Filters,
}

impl Schedule {
    pub(crate) fn query(&self, today: Date) -> anyhow::Result<ScheduleQuery> {
        let filter = self.filters.with_text(&self.text.join(" "))?;
        let first = self.date.unwrap_or(today);
        let more_days = i32::from(self.days.get()) - 1;
        Ok(ScheduleQuery { filter, first, last: first.saturating_add(more_days.days()) })
    }
}

fn parse_day(text: &str) -> Result<Date, &'static str> {
    let bound: Option<DateBound> = text.parse().ok();
    let day = bound.filter(|bound| bound.first() == bound.last());
    day.map(DateBound::first).ok_or("must be a day such as 2026-11-27")
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows runs\n  tvshows runs --limit 3 --json\n  tvshows runs --follow --service http://localhost:8000"
)]
pub(crate) struct Runs {
    /// Maximum number of updates, 1 to 1000
    #[arg(long, default_value = "20")]
    pub(crate) limit: TopLimit,

    /// Print JSON, as in `runs` of `GET /pipeline/runs`; with --follow, an object a line
    #[arg(long)]
    pub(crate) json: bool,

    /// Also print each update that is queued, starts, or ends from now on, oldest first, until Ctrl-C
    #[arg(long)]
    pub(crate) follow: bool,

    /// Query a running service instead of the database file
    #[arg(long, value_name = "URL")]
    pub(crate) service: Option<reqwest::Url>,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args)]
#[command(
    after_help = "Exit codes with --watch: 0 if the update published, 1 otherwise.\n\nExamples:\n  tvshows status --watch\n  tvshows status --service http://localhost:8000"
)]
pub(crate) struct Status {
    /// The update's `request_id`; defaults to the latest update
    #[arg(value_parser = parse_run_id)]
    pub(crate) id: Option<RunId>,

    /// Follow the update until it ends, with a progress bar on stderr
    #[arg(long)]
    pub(crate) watch: bool,

    /// Print JSON, as in `status` of `GET /pipeline/status/{request_id}`
    #[arg(long)]
    pub(crate) json: bool,

    /// Query a running service instead of the database file
    #[arg(long, value_name = "URL")]
    pub(crate) service: Option<reqwest::Url>,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args)]
#[command(
    after_help = "Exit codes: 0 if the update is canceled, 1 if it does not exist or has already ended.\n\nExamples:\n  tvshows cancel REQUEST_ID\n  tvshows cancel REQUEST_ID --service http://localhost:8000"
)]
pub(crate) struct Cancel {
    /// The update's `request_id`
    #[arg(value_parser = parse_run_id)]
    pub(crate) id: RunId,

    /// Send the request to a running service instead of changing the database file
    #[arg(long, value_name = "URL")]
    pub(crate) service: Option<reqwest::Url>,

    /// The service's bearer token. Prefer the environment or the file: other users of the machine can see
    /// command-line flags
    #[arg(
        long,
        value_name = "TOKEN",
        env = "API_TOKEN",
        hide_env_values = true,
        hide_default_value = true
    )]
    pub(crate) api_token: Option<SecretString>,

    #[command(flatten)]
    pub(crate) webhook: WebhookSettings,

    #[command(flatten)]
    pub(crate) database: Database,
}

fn parse_run_id(text: &str) -> Result<RunId, &'static str> {
    text.parse().map_err(|_| "must be the id of an update; `tvshows runs` lists them")
}

#[derive(Args)]
#[command(after_help = "Examples:\n  tvshows verify\n  tvshows verify && echo up to date")]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) upstream: BaseUrl,

    #[command(flatten)]
    pub(crate) database: Database,
}
