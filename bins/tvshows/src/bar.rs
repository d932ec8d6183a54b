//! A run on the terminal: a bar where there is one, plain lines elsewhere.

use std::io::IsTerminal;
use std::time::Duration;

use indicatif::{HumanCount, MultiProgress, ProgressBar, ProgressStyle};
use tvshows_core::{RunStatus, StoreError};
use tvshows_pipeline::Runner;

use crate::cli::LogFormat;
use crate::output;

/// A bar that says nothing new is drawn again after this time at the latest.
const PATIENCE: Duration = Duration::from_secs(30);

/// Shows a run on stderr until it is over, whichever process works on it. Gives its last status.
///
/// Where stderr is a log for machines, the log lines of the run must do.
pub(crate) async fn follow(
    runner: &Runner,
    mut status: RunStatus,
    bars: &MultiProgress,
    log_format: LogFormat,
) -> Result<RunStatus, StoreError> {
    let mut view = View::new(bars, log_format);
    loop {
        view.show(&status);
        if status.state.is_terminal() || runner.is_stopped() {
            view.finish();
            return Ok(status);
        }
        let changed = runner.changed(status.request_id, status.revision, PATIENCE).await?;
        status = changed.unwrap_or(status);
    }
}

pub(crate) enum View {
    Bar(ProgressBar),
    Lines { last: Option<String> },
    Nothing,
}

impl View {
    pub(crate) fn new(bars: &MultiProgress, log_format: LogFormat) -> View {
        match log_format {
            LogFormat::Json => return View::Nothing,
            LogFormat::Text if !std::io::stderr().is_terminal() => {
                return View::Lines { last: None };
            }
            LogFormat::Text => {}
        }
        let bar = bars.add(ProgressBar::new(100));
        let style =
            ProgressStyle::with_template("{prefix:<20} {bar:30.cyan/blue} {pos:>3} %  {msg}");
        // The template is a constant; the default style is as good where it were wrong.
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()).progress_chars("━╸─"));
        View::Bar(bar)
    }

    pub(crate) fn show(&mut self, status: &RunStatus) {
        match self {
            View::Bar(bar) => {
                bar.set_prefix(status.step.as_str());
                bar.set_message(details(status));
                bar.set_position(status.progress.into());
            }
            View::Lines { last } => {
                // A line a step and a line every ten per cent.
                let line = format!("{} {}0 %", status.step, status.progress / 10);
                if last.as_ref() != Some(&line) {
                    output::tell(format!(
                        "{:>3} %  {}: {}",
                        status.progress,
                        status.step,
                        details(status)
                    ));
                    *last = Some(line);
                }
            }
            View::Nothing => {}
        }
    }

    pub(crate) fn finish(&self) {
        if let View::Bar(bar) = self {
            bar.abandon();
        }
    }
}

fn details(status: &RunStatus) -> String {
    if let Some(ahead) = status.position.filter(|ahead| *ahead > 0) {
        return format!("{ahead} updates come before it");
    }
    let total = |total: Option<u32>| total.map_or(String::new(), |total| format!("/{total}"));
    let mut parts = vec![
        format!("{}{} pages", status.pages_done, total(status.pages_total)),
        format!("{} shows", HumanCount(status.shows_seen.into())),
    ];
    if status.casts_total.is_some() {
        parts.push(format!("{}{} casts", status.casts_done, total(status.casts_total)));
    }
    if status.retries > 0 {
        parts.push(format!("{} retries", status.retries));
    }
    if status.rate_limited > 0 {
        parts.push(format!("slowed down {} times", status.rate_limited));
    }
    if let Some(seconds) = status.eta_seconds {
        parts.push(format!("{seconds} s left"));
    }
    parts.join(", ")
}
