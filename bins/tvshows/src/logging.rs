mod json;
mod text;

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Format, JsonFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};
use tvshows_pipeline::RunLog;

use crate::cli::LogFormat;
use crate::config;
use crate::config_error::ConfigError;
use crate::otel::TraceExporter;

use json::JsonFormat;
use text::{EscapedFields, TextFormat};

/// Logs to stderr, above the progress bar if there is one, and exports spans to `collector` if it is set. `RUST_LOG`
/// overrides the filter. `run_log` collects the lines about runs at any level of detail.
pub(crate) fn start(
    format: LogFormat,
    filter: &str,
    bars: &MultiProgress,
    collector: Option<&str>,
    run_log: &RunLog,
) -> anyhow::Result<TraceExporter> {
    let exporter = TraceExporter::start(collector)?;
    let filter = env_filter(filter)?;
    let log = fmt::layer().with_writer(ProgressAwareWriter(bars.clone()));
    let log = match format {
        LogFormat::Text => {
            let ansi = io::stderr().is_terminal();
            let format = TextFormat(Format::default().with_ansi(ansi));
            log.with_ansi(ansi).fmt_fields(EscapedFields).event_format(format).boxed()
        }
        LogFormat::Json => log.fmt_fields(JsonFields::new()).event_format(JsonFormat).boxed(),
    };
    registry().with(log.with_filter(filter)).with(exporter.layer()).with(run_log.layer()).init();
    Ok(exporter)
}

fn env_filter(default: &str) -> Result<EnvFilter, ConfigError> {
    let variable = config::variable("RUST_LOG");
    let directives = variable.as_ref().map_or(Some(default), |directives| directives.to_str());
    let filter = directives.and_then(|directives| EnvFilter::try_new(directives).ok());
    let problem = "must be a level, or directives such as info,tvmaze_client=debug";
    filter.ok_or_else(|| ConfigError { setting: "RUST_LOG", problem: problem.into() })
}

struct ProgressAwareWriter(MultiProgress);

impl<'a> MakeWriter<'a> for ProgressAwareWriter {
    type Writer = &'a ProgressAwareWriter;

    fn make_writer(&'a self) -> &'a ProgressAwareWriter {
        self
    }
}

impl Write for &ProgressAwareWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // On an error, such as a closed pipe, the subscriber would panic.
        let _ = self.0.suspend(|| io::stderr().write_all(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
