//! The log lines of the last runs, in memory.

use std::collections::VecDeque;
use std::error::Error;
use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use serde::Serialize;
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id};
use tracing::{Event, Metadata, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::LookupSpan;
use tvshows_core::RunId;

use crate::clock::now_millis;

/// How many runs have their lines stored: a little more than a page of the history shows.
const MAX_RUNS: usize = 10;
/// How many lines of a run are stored. An undisturbed run has about ten.
const MAX_LINES: usize = 200;
/// Where a line is cut, in characters: a line can quote what TVmaze sent.
const MAX_LINE_CHARS: usize = 300;
/// The crates whose log lines say something about a run.
const TARGETS: [&str; 2] = ["tvshows_pipeline", "tvmaze_client"];

/// The last log lines of the runs that this process works on. Clones share them.
///
/// Clients may read them: like other responses, they have the message of an error, but not its causes, which can name
/// hosts and paths.
#[derive(Clone, Default)]
pub struct RunLog {
    /// The run that logged last is the last one.
    runs: Arc<Mutex<VecDeque<(RunId, RunLogLines)>>>,
}

/// The last log lines of a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RunLogLines {
    /// Oldest first.
    pub lines: VecDeque<RunLogLine>,
    /// How many older lines are no longer stored.
    pub omitted: u64,
}

/// A log line of a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RunLogLine {
    pub at: Timestamp,
    /// `DEBUG`, `INFO`, `WARN` or `ERROR`.
    pub level: &'static str,
    pub message: String,
}

impl RunLog {
    /// Returns the lines of a run; none if it logged nothing in this process recently.
    #[must_use]
    pub fn lines(&self, run: RunId) -> RunLogLines {
        let runs = self.runs();
        let found = runs.iter().find(|(id, _)| *id == run);
        found.map(|(_, lines)| lines.clone()).unwrap_or_default()
    }

    /// The layer that collects the lines.
    #[must_use]
    pub fn layer<S: Subscriber + for<'a> LookupSpan<'a>>(&self) -> impl Layer<S> {
        let filter = filter_fn(is_about_runs).with_max_level_hint(LevelFilter::DEBUG);
        RunLogLayer(self.clone()).with_filter(filter)
    }

    fn push(&self, run: RunId, line: RunLogLine) {
        let mut runs = self.runs();
        let known = runs.iter().position(|(id, _)| *id == run).and_then(|index| runs.remove(index));
        let (_, mut log) = known.unwrap_or_else(|| (run, RunLogLines::default()));
        log.lines.push_back(line);
        if log.lines.len() > MAX_LINES {
            log.lines.pop_front();
            log.omitted += 1;
        }
        runs.push_back((run, log));
        if runs.len() > MAX_RUNS {
            runs.pop_front();
        }
    }

    fn runs(&self) -> MutexGuard<'_, VecDeque<(RunId, RunLogLines)>> {
        self.runs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_about_runs(metadata: &Metadata<'_>) -> bool {
    let crate_name = metadata.target().split("::").next().unwrap_or_default();
    // Of the spans, only the one with the id of the run: the client opens one for each request.
    TARGETS.contains(&crate_name)
        && (metadata.is_event() || metadata.name() == "run")
        && *metadata.level() <= LevelFilter::DEBUG
}

struct RunLogLayer(RunLog);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for RunLogLayer {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let (Some(run), Some(span)) = (fields.run, context.span(id)) {
            span.extensions_mut().insert(run);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut scope = context.event_scope(event).into_iter().flatten();
        let run =
            fields.run.or_else(|| scope.find_map(|span| span.extensions().get::<RunId>().copied()));
        if let Some(run) = run {
            let level = event.metadata().level().as_str();
            self.0.push(run, RunLogLine { at: now_millis(), level, message: fields.into_line() });
        }
    }
}

#[derive(Default)]
struct Fields {
    run: Option<RunId>,
    message: String,
    others: String,
}

impl Fields {
    fn into_line(self) -> String {
        let line = (self.message + &self.others).replace(char::is_control, " ");
        match line.char_indices().nth(MAX_LINE_CHARS) {
            Some((end, _)) => format!("{}…", &line[..end]),
            None => line,
        }
    }

    fn push(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        // Writing to a string cannot fail.
        let _ = match field.name() {
            "message" => self.message.write_fmt(value),
            "run.id" => {
                self.run = value.to_string().parse().ok();
                Ok(())
            }
            name => write!(self.others, " {name}={value}"),
        };
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, format_args!("{value}"));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn Error + 'static)) {
        self.push(field, format_args!("{value}"));
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format_args!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// The messages logged about `run` by `log_lines`.
    fn collect(run: RunId, log_lines: impl FnOnce()) -> (Vec<String>, u64) {
        let log = RunLog::default();
        let subscriber = tracing_subscriber::registry().with(log.layer());
        tracing::subscriber::with_default(subscriber, || {
            tracing::error_span!("run", run.id = %run).in_scope(log_lines);
        });
        let RunLogLines { lines, omitted } = log.lines(run);
        (
            lines.into_iter().map(|line| format!("{} {}", line.level, line.message)).collect(),
            omitted,
        )
    }

    #[test]
    fn collects_the_lines_within_the_span_of_a_run() {
        let (run, other) = (RunId::random(), RunId::random());
        let (lines, omitted) = collect(run, || {
            tracing::info!("run started");
            tracing::info_span!("step").in_scope(|| tracing::debug!(pages = 3, "step began"));
            tracing::warn!(run.id = %other, "not about this one");
            tracing::trace!("too detailed");
            tracing::error!(target: "hyper::client", "another crate");
        });
        assert_eq!(lines, ["INFO run started", "DEBUG step began pages=3"]);
        assert_eq!(omitted, 0);
    }

    #[test]
    fn a_line_has_no_cause_no_control_characters_and_a_limit() {
        #[derive(Debug, thiserror::Error)]
        #[error("the tracker\r\nfailed")]
        struct Failed(#[source] io::Error);
        let (lines, _) = collect(RunId::random(), || {
            let error = Failed(io::Error::other("redis://:secret@host"));
            let error = &error as &dyn Error;
            tracing::warn!(error, "failed");
            tracing::warn!(name = "é".repeat(1000), "long");
        });
        assert_eq!(lines[0], "WARN failed error=the tracker  failed");
        assert_eq!(lines[1].chars().count(), "WARN ".len() + MAX_LINE_CHARS + 1);
        assert!(lines[1].ends_with("é…"));
    }

    #[test]
    fn the_newest_lines_of_the_newest_runs_are_stored() {
        let run = RunId::random();
        let (lines, omitted) = collect(run, || {
            for number in 0..=MAX_LINES {
                tracing::info!("line {number}");
            }
        });
        assert_eq!((lines.len(), omitted), (MAX_LINES, 1));
        assert_eq!(lines[0], "INFO line 1");

        let log = RunLog::default();
        let runs: Vec<RunId> = (0..=MAX_RUNS).map(|_| RunId::random()).collect();
        for run in &runs {
            let line = RunLogLine { at: now_millis(), level: "INFO", message: String::new() };
            log.push(*run, line);
        }
        assert!(log.lines(runs[0]).lines.is_empty());
        assert_eq!(log.lines(runs[1]).lines.len(), 1);
    }
}
