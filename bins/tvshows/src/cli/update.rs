use clap::Args;
use tvshows_core::{FetchMode, RunParameters, TopLimit, Years};

use crate::cli::settings::Settings;

#[derive(Args)]
#[command(
    after_help = "Examples:\n  tvshows update\n  tvshows update --years 5 --top 20 --mode full\n  tvshows update --details \"language=English&status=Running&min_rating=7\" --dry-run\n  tvshows update --tvmaze-base-url demo --database-path demo.db    without a network"
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag")]
pub(crate) struct Update {
    /// How many calendar years back a top show may have premiered, 0 to 200
    #[arg(long, default_value_t)]
    years: Years,

    /// Number of top shows, 1 to 1000
    #[arg(long, default_value_t)]
    top: TopLimit,

    /// `auto` fetches only what is new, changed, or expired, and everything the first time; `full` fetches everything
    #[arg(long, default_value_t)]
    mode: FetchMode,

    /// Print the result as JSON, as in `status` of `GET /pipeline/status/{request_id}`; with `--dry-run`, the plan
    #[arg(long)]
    pub(crate) json: bool,

    /// Start over instead of resuming an interrupted update
    #[arg(long)]
    pub(crate) restart: bool,

    /// Print what an update would fetch now, and how long that takes at TVmaze's limit; sends one request, and changes
    /// nothing
    #[arg(long, conflicts_with = "restart")]
    pub(crate) dry_run: bool,

    /// Fetch the episodes and casts of more shows than `MAX_DETAILS` allows
    #[arg(long)]
    pub(crate) yes: bool,

    #[command(flatten)]
    pub(crate) settings: Settings,
}

impl Update {
    pub(crate) fn parameters(&self) -> RunParameters {
        RunParameters { years: self.years, top: self.top, mode: self.mode }
    }

    /// Of how many shows the episodes and casts may be fetched; `None` for any number.
    pub(crate) fn max_details(&self) -> Option<u32> {
        (!self.yes).then_some(self.settings.max_details)
    }
}
