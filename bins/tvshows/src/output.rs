//! What goes to stdout and stderr. `println` and `eprintln` panic where nobody reads.

use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use console::Term;
use serde::Serialize;

/// Tells a person something on stderr. Nobody there to be told is no reason to stop.
pub(crate) fn tell(text: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "{}", text.as_ref());
}

/// Writes a text to stdout, which may be a pipe that nobody reads.
pub(crate) fn print(text: impl AsRef<str>) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_ref().as_bytes())?;
    Ok(stdout.flush()?)
}

pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print(serde_json::to_string(value)? + "\n")
}

/// Columns that fit the terminal, or that are as wide as they are where there is none.
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

/// Whether a command failed only since nobody reads on, as in `tvshows runs | head -1`.
pub(crate) fn is_unread(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}
