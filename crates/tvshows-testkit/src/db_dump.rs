use std::path::Path;

use rusqlite::Connection;
use rusqlite::types::Value;

/// The published tables as text, one row per line. Also checks the integrity of the file.
pub fn dump_tables(database: &Path) -> String {
    dump(database, |_| true)
}

/// Like [`dump_tables`], without the columns that hold the time of a fetch.
pub fn dump_content(database: &Path) -> String {
    dump(database, |column| column != "processed_at")
}

fn dump(database: &Path, includes: impl Fn(&str) -> bool) -> String {
    let connection = Connection::open(database).unwrap();
    let integrity: String =
        connection.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let mut text = String::new();
    let tables = [
        "All_Shows",
        "Top_Shows",
        "Top_Shows_Cast",
        "Episodes ORDER BY show_id, position",
        "Show_Cast ORDER BY show_id, position",
    ];
    for table in tables {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let names = select.column_names().into_iter().enumerate();
        let columns: Vec<_> =
            names.filter(|(_, name)| includes(name)).map(|(column, _)| column).collect();
        let mut rows = select.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let cells =
                columns.iter().map(|column| format!("{:?}", row.get::<_, Value>(*column).unwrap()));
            text += &cells.collect::<Vec<_>>().join("|");
            text += "\n";
        }
    }
    text
}
