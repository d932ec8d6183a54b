use std::io::{self, IsTerminal, Write};

use indicatif::MultiProgress;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::cli::LogFormat;

/// Log lines go to stderr, above the progress bar where there is one. `RUST_LOG` chooses them;
/// without it, `level` decides.
pub(crate) fn start(format: LogFormat, level: &str, bars: &MultiProgress) {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(level));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(AboveBars(bars.clone()))
        .with_ansi(io::stderr().is_terminal());
    match format {
        LogFormat::Text => lines.init(),
        LogFormat::Json => lines.json().init(),
    }
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
