//! What the published tables hold. The tests of the store and of the pipeline use this file too.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

/// The three published tables as text, a line a row, of a file that is sound.
pub(crate) fn dump(database: &Path) -> String {
    let connection = Connection::open(database).unwrap();
    let sound: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(sound, "ok");
    let mut text = String::new();
    for table in ["All_Shows", "Top_Shows", "Top_Shows_Cast"] {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let width = select.column_count();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells =
                (0..width).map(|column| format!("{:?}", row.get::<_, Value>(column).unwrap()));
            text += &cells.collect::<Vec<_>>().join("|");
            text += "\n";
        }
    }
    text
}
