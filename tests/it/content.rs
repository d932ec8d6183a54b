//! What the published tables hold, but for when. The tests of the pipeline use this file too.

use std::path::Path;

use crate::tables::dump;

/// The three published tables without when each row was fetched.
pub(crate) fn content(database: &Path) -> String {
    let is_time = |cell: &&str| cell.starts_with("Text(\"2") && cell.ends_with("Z\")");
    let dump = dump(database);
    let line =
        |line: &str| line.split('|').filter(|cell| !is_time(cell)).collect::<Vec<_>>().join("|");
    dump.lines().map(line).collect::<Vec<_>>().join("\n")
}
