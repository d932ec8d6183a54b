//! The commands that read what is published, and how runs went.

use std::path::PathBuf;

use anyhow::Context;
use clap::{Args, ValueEnum};
use clap_complete::Shell;
use tvshows_core::{DateBound, MinRating, RunId, ShowFilter, Sort, SortBy, Table, TopLimit};
use tvshows_export::Format;

/// Where the data is.
#[derive(Args)]
pub(crate) struct Database {
    /// The database file
    #[arg(long, value_name = "FILE", env = "DATABASE_PATH", default_value = "tvshows.db")]
    pub(crate) database_path: PathBuf,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  tvshows top\n  tvshows top --limit 3 --json")]
pub(crate) struct Top {
    /// How many, 1 to 1000; never more than the last update kept
    #[arg(long, default_value_t)]
    pub(crate) limit: TopLimit,

    /// Print JSON, as `GET /shows/top_shows`
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args)]
#[command(after_help = "Examples:\n  tvshows show 82\n  tvshows show 'game of thrones'")]
pub(crate) struct Show {
    /// TVmaze's number of the show, or words of its name
    #[arg(value_name = "ID|NAME", required = true, num_args = 1..)]
    pub(crate) what: Vec<String>,

    /// Print JSON, as `GET /shows/{id}`
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows search space station\n  tvshows search --genre Comedy --language French --sort=-rating"
)]
pub(crate) struct Search {
    /// Words that name or summary must have, the last of them perhaps cut short
    #[arg(value_name = "TEXT")]
    text: Vec<String>,

    /// Only shows in this language
    #[arg(long)]
    language: Option<String>,

    /// Only shows with this genre
    #[arg(long)]
    genre: Option<String>,

    /// Only shows with this status, such as Running or Ended
    #[arg(long)]
    status: Option<String>,

    /// Only shows of this network or web channel
    #[arg(long)]
    network: Option<String>,

    /// Only shows that premiered in or after this year, or on or after this day
    #[arg(long, value_name = "YEAR|DATE")]
    premiered_from: Option<DateBound>,

    /// Only shows that premiered in or before this year, or on or before this day
    #[arg(long, value_name = "YEAR|DATE")]
    premiered_to: Option<DateBound>,

    /// Only shows with at least this rating
    #[arg(long, value_name = "RATING")]
    min_rating: Option<MinRating>,

    /// id, name, rating, premiered, updated or weight, with - in front for the greatest first, or relevance;
    /// relevance where there is a text, else -rating
    #[arg(long, allow_hyphen_values = true)]
    sort: Option<Sort>,

    /// How many, 1 to 1000
    #[arg(long, default_value = "20")]
    pub(crate) limit: TopLimit,

    /// Print JSON, an array of shows as TVmaze sends them
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) database: Database,
}

impl Search {
    pub(crate) fn filter(&self) -> anyhow::Result<ShowFilter> {
        let text = (!self.text.is_empty()).then(|| self.text.join(" ").parse());
        Ok(ShowFilter {
            text: text.transpose().context("the text")?,
            language: self.language.clone(),
            genre: self.genre.clone(),
            status: self.status.clone(),
            kind: None,
            network: self.network.clone(),
            premiered_from: self.premiered_from,
            premiered_to: self.premiered_to,
            min_rating: self.min_rating,
        })
    }

    pub(crate) fn sort(&self) -> Sort {
        let best = if self.text.is_empty() {
            Sort { by: SortBy::Rating, descending: true }
        } else {
            Sort { by: SortBy::Relevance, descending: false }
        };
        self.sort.unwrap_or(best)
    }
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows export top_shows\n  tvshows export all_shows --output shows.parquet\n  tvshows export database --output copy.db"
)]
pub(crate) struct Export {
    /// A table, or `database` for a copy of the whole file
    #[arg(value_name = "TABLE")]
    pub(crate) what: Exported,

    /// csv, ndjson or parquet; by default what the name of the output ends with, else csv
    #[arg(long)]
    format: Option<Format>,

    /// The file to write, which is whole once it has this name; - for stdout
    #[arg(long, short, value_name = "FILE", default_value = "-")]
    pub(crate) output: PathBuf,

    #[command(flatten)]
    pub(crate) database: Database,
}

impl Export {
    pub(crate) fn format(&self) -> Format {
        let ending = self.output.extension().and_then(|ending| ending.to_str()?.parse().ok());
        self.format.or(ending).unwrap_or(Format::Csv)
    }
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
#[value(rename_all = "snake_case")]
pub(crate) enum Exported {
    AllShows,
    TopShows,
    TopShowsCast,
    Database,
}

impl Exported {
    /// `None` is the whole database.
    pub(crate) fn table(self) -> Option<Table> {
        match self {
            Exported::AllShows => Some(Table::AllShows),
            Exported::TopShows => Some(Table::TopShows),
            Exported::TopShowsCast => Some(Table::TopShowsCast),
            Exported::Database => None,
        }
    }
}

#[derive(Args)]
#[command(after_help = "Examples:\n  tvshows runs\n  tvshows runs --limit 3 --json")]
pub(crate) struct Runs {
    /// How many, 1 to 1000
    #[arg(long, default_value = "20")]
    pub(crate) limit: TopLimit,

    /// Print JSON, as the `runs` of `GET /pipeline/runs`
    #[arg(long)]
    pub(crate) json: bool,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args)]
#[command(
    after_help = "Exit code with --watch: 0 where the update published, 1 where it did not.\n\nExamples:\n  tvshows status --watch\n  tvshows status --service http://localhost:8000"
)]
pub(crate) struct Status {
    /// The update's `request_id`; the newest one by default
    #[arg(value_parser = run_id)]
    pub(crate) id: Option<RunId>,

    /// Follow it to its end, with a progress bar on stderr
    #[arg(long)]
    pub(crate) watch: bool,

    /// Print JSON, as the `status` of `GET /pipeline/status/{request_id}`
    #[arg(long)]
    pub(crate) json: bool,

    /// Ask a running service in place of the database file
    #[arg(long, value_name = "URL")]
    pub(crate) service: Option<reqwest::Url>,

    #[command(flatten)]
    pub(crate) database: Database,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows healthcheck --port 8000\n  tvshows healthcheck --port 8080 --path /shows/1    a simulator"
)]
pub(crate) struct Healthcheck {
    /// The port of the service on this machine
    #[arg(long, env = "PORT", default_value_t = 8000)]
    pub(crate) port: u16,

    /// What is asked, and must answer 2xx
    #[arg(long, value_name = "PATH", default_value = "/health/ready")]
    pub(crate) path: String,
}

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows completions bash > ~/.local/share/bash-completion/completions/tvshows\n  tvshows completions fish > ~/.config/fish/completions/tvshows.fish"
)]
pub(crate) struct Completions {
    /// The shell
    pub(crate) shell: Shell,
}

fn run_id(text: &str) -> Result<RunId, &'static str> {
    text.parse().map_err(|_| "must be a request_id; `tvshows runs` lists them")
}
