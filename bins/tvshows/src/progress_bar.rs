//! The progress of a run on stderr: a bar on a terminal, otherwise plain lines.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};
use tvshows_core::{RunStatus, StoreError};
use tvshows_pipeline::Runner;

use crate::cli::LogFormat;
use crate::output::{self, count};

/// How often the progress is redrawn if nothing has changed.
const REDRAW_INTERVAL: Duration = Duration::from_secs(30);

/// Shows the progress of a run, in this process or another, until it ends. Returns its last status.
pub(crate) async fn follow(
    runner: &Runner,
    mut status: RunStatus,
    bars: &MultiProgress,
    log_format: LogFormat,
) -> Result<RunStatus, StoreError> {
    let mut view = ProgressView::new(bars, log_format);
    loop {
        view.show(&status);
        if status.state.is_terminal() || runner.is_shutting_down() {
            view.finish();
            return Ok(status);
        }
        let changed =
            runner.wait_for_change(status.request_id, status.revision, REDRAW_INTERVAL).await?;
        status = changed.unwrap_or(status);
    }
}

pub(crate) enum ProgressView {
    Bar(ProgressBar),
    Lines {
        last: Option<String>,
    },
    /// The JSON log on stderr must not be mixed with other text.
    Hidden,
}

impl ProgressView {
    pub(crate) fn new(bars: &MultiProgress, log_format: LogFormat) -> ProgressView {
        match log_format {
            LogFormat::Json => return ProgressView::Hidden,
            LogFormat::Text if !std::io::stderr().is_terminal() => {
                return ProgressView::Lines { last: None };
            }
            LogFormat::Text => {}
        }
        let bar = bars.add(ProgressBar::new(100));
        let style =
            ProgressStyle::with_template("{prefix:<20} {bar:30.cyan/blue} {pos:>3} %  {msg}");
        // The template is a constant, so the fallback is never used.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        ProgressView::Bar(bar)
    }

    pub(crate) fn show(&mut self, status: &RunStatus) {
        match self {
            ProgressView::Bar(bar) => {
                bar.set_prefix(status.step.into_str());
                bar.set_message(summary(status));
                bar.set_position(status.progress.into());
            }
            ProgressView::Lines { last } => {
                // One line per step and per ten percent.
                let line = format!("{} {}0 %", status.step, status.progress / 10);
                if last.as_ref() != Some(&line) {
                    let (progress, step) = (status.progress, status.step);
                    output::eprint_line(format!("{progress:>3} %  {step}: {}", summary(status)));
                    *last = Some(line);
                }
            }
            ProgressView::Hidden => {}
        }
    }

    pub(crate) fn finish(&self) {
        if let ProgressView::Bar(bar) = self {
            bar.abandon();
        }
    }
}

fn summary(status: &RunStatus) -> String {
    if let Some(ahead) = status.position.filter(|ahead| *ahead > 0) {
        return format!("{} ahead", count(ahead, "update", "updates"));
    }
    let mut parts = vec![
        part(status.pages_done, status.pages_total, "page", "pages"),
        count(status.shows_seen, "show", "shows"),
    ];
    if status.details_total.is_some_and(|total| total > 0) {
        parts.push(part(
            status.details_done,
            status.details_total,
            "show with details",
            "shows with details",
        ));
    }
    if status.casts_total.is_some() {
        parts.push(part(status.casts_done, status.casts_total, "cast", "casts"));
    }
    if status.counts.retries > 0 {
        parts.push(count(status.counts.retries, "retry", "retries"));
    }
    if status.counts.rate_limited > 0 {
        parts.push(format!("{} rate-limited", HumanCount(status.counts.rate_limited)));
    }
    if let Some(seconds) = status.eta_seconds {
        parts.push(format!("{seconds} s left"));
    }
    parts.join(", ")
}

/// `9/10 pages`, or `9 pages` while the total is unknown.
fn part(done: u32, total: Option<u32>, singular: &str, plural: &str) -> String {
    match total {
        Some(total) => format!("{}/{}", HumanCount(done.into()), count(total, singular, plural)),
        None => count(done, singular, plural),
    }
}
