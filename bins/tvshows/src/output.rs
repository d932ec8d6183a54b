//! Writes to stdout and stderr. `println!` and `eprintln!` would panic on a closed pipe.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use console::Term;
use indicatif::HumanCount;
use serde::Serialize;

/// Writes a line to stderr, and ignores a closed pipe.
pub(crate) fn eprint_line(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// Writes to stdout. Fails on a closed pipe.
pub(crate) fn print(text: impl AsRef<str>) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_ref().as_bytes())?;
    Ok(stdout.flush()?)
}

pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(serde_json::to_string(value)? + "\n")
}

/// Prints columns that fit the terminal, or of their natural width if stdout is not a terminal.
pub(crate) fn print_table(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.iter().copied());
    table.add_rows(rows);
    let terminal = Term::stdout();
    if terminal.is_term() {
        let (_, width) = terminal.size();
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    print(table.trim_fmt() + "\n")
}

/// `1 retry`, `2,300 retries`.
pub(crate) fn count(number: impl Into<u64>, singular: &str, plural: &str) -> String {
    let number = number.into();
    format!("{} {}", HumanCount(number), if number == 1 { singular } else { plural })
}

/// Whether a command failed only because its reader closed the pipe, as in `tvshows runs | head -1`.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_one_is_singular() {
        assert_eq!(count(0_u32, "retry", "retries"), "0 retries");
        assert_eq!(count(1_u32, "retry", "retries"), "1 retry");
        assert_eq!(count(84_670_u64, "show", "shows"), "84,670 shows");
    }
}
