//! Where log lines go, and how they look.

mod json;
mod text;

use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::format::{Format, JsonFields};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{EnvFilter, Layer, fmt, registry};

use crate::cli::LogFormat;
use crate::traces::Traces;

/// Log lines go to stderr, above the progress bar where there is one. `RUST_LOG` chooses them;
/// without it, `level` decides. Spans go to a collector of traces where there is one.
pub(crate) fn start(format: LogFormat, level: &str, bars: &MultiProgress, traces: &Traces) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = fmt::layer().with_writer(AboveBars(bars.clone()));
    let lines = match format {
        LogFormat::Text => {
            let colours = io::stderr().is_terminal();
            let format = text::Lines(Format::default().with_ansi(colours));
            lines.with_ansi(colours).event_format(format).boxed()
        }
        LogFormat::Json => lines.fmt_fields(JsonFields::new()).event_format(json::Lines).boxed(),
    };
    registry().with(lines.with_filter(filter)).with(traces.layer()).init();
}

struct AboveBars(MultiProgress);

impl<'a> MakeWriter<'a> for AboveBars {
    type Writer = &'a AboveBars;

    fn make_writer(&'a self) -> &'a AboveBars {
        self
    }
}

impl Write for &AboveBars {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        // Whoever logs goes on when nobody reads the log; the subscriber would panic.
        let _ = self.0.suspend(|| io::stderr().write_all(line));
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
