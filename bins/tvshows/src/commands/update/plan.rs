//! What an update would fetch: `tvshows update --dry-run`.

use std::process::ExitCode;

use indicatif::{HumanCount, MultiProgress};
use tempfile::TempDir;
use tvshows_core::FetchMode;
use tvshows_pipeline::{RunLog, RunPlan, error_chain};
use tvshows_sqlite::SqliteStore;

use crate::cli::Update;
use crate::database::{self, Need, Stores};
use crate::location::Location;
use crate::output::count;
use crate::upstream::Upstream;
use crate::{engine, logging, output};

pub(super) async fn run(options: &Update) -> anyhow::Result<ExitCode> {
    let log_format = options.settings.log_format;
    logging::start(log_format, "warn", &MultiProgress::new(), None, &RunLog::default())?;
    let location = options.settings.database.location()?;
    let empty = tempfile::tempdir()?;
    let stores = open(&location, &empty).await?;
    let upstream = Upstream::connect(&options.settings.upstream.tvmaze_base_url).await?;
    let (catalog, max_details) = (stores.catalog.clone(), options.max_details());
    let pipeline = engine::pipeline(&options.settings, &upstream, catalog, max_details);
    let plan = pipeline.plan(options.parameters()).await;
    let plan = plan.map_err(|error| anyhow::anyhow!(error_chain(&error)))?;
    if options.json {
        output::print_json(&plan)?;
    } else {
        output::print_lines(describe(&plan, max_details))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Opens the database. If there is none yet, the plan is that of an empty one.
async fn open(location: &Location, empty: &TempDir) -> anyhow::Result<Stores> {
    match location {
        Location::File(path) if !path.exists() => {
            Ok(SqliteStore::open(&empty.path().join("tvshows.db")).await?.into())
        }
        location => database::open_reader(location, Need::Manifest).await,
    }
}

fn describe(plan: &RunPlan, max_details: Option<u32>) -> Vec<String> {
    let kind = match plan.mode {
        FetchMode::Auto => "An update now would fetch only what is new, changed, or expired:",
        FetchMode::Full => "An update now would fetch the whole index:",
    };
    let mut lines = vec![kind.to_owned()];
    let mut add = |name: &str, value: String| lines.push(format!("{name:<14} {value}"));
    let number = |number: u32| HumanCount(number.into()).to_string();
    add(
        "Index pages",
        plan.index_pages.map_or("unknown: TVmaze has no updates map".into(), number),
    );
    add("Single shows", number(plan.shows));
    let details = plan.details.map(number);
    add("Details", details.unwrap_or("unknown until the shows are fetched".into()));
    add("Casts", number(plan.casts));
    let is_complete = plan.index_pages.is_some() && plan.details.is_some();
    let at_least = if is_complete { "about" } else { "at least" };
    let requests = count(plan.requests, "request", "requests");
    add("Total", format!("{at_least} {requests}, including the updates map"));
    let time = duration(plan.seconds);
    add("Time", format!("{at_least} {time} at TVmaze's limit of 20 requests every 10 seconds"));
    if plan.deletions > 0 {
        add("Deletions", format!("{}, without a request", number(plan.deletions)));
    }
    if let (Some(details), Some(max)) = (plan.details, max_details)
        && details > max
    {
        lines.push(format!(
            "MAX_DETAILS allows the details of {} only: narrow DETAILS, raise MAX_DETAILS, or use --yes.",
            count(max, "show", "shows")
        ));
    }
    lines
}

fn duration(seconds: u64) -> String {
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}
