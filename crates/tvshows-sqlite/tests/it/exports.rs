//! Whole tables: their columns, and how many are read at a time.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{BY_CLAIM, at, cast_member, running, show, success};
use tvshows_core::{CellValue, MakeRowWriter, RowWriter, ShowId, ShowStore, StoreError, Table};
use tvshows_sqlite::SqliteStore;

async fn filled(path: &std::path::Path) -> Arc<SqliteStore> {
    let store = SqliteStore::open(path).await.unwrap();
    let status = running();
    store.begin(&status, BY_CLAIM).await.unwrap();
    store.stage_pages(vec![(0, vec![show(2), show(1)])], at(2), &status).await.unwrap();
    store.stage_cast(&show(1), vec![cast_member(1, 1, 1)], at(3), &status).await.unwrap();
    store.publish(&[ShowId(1)], at(3), success(&status)).await.unwrap();
    Arc::new(store)
}

/// Tells of each row, and waits until it may go on.
struct Gate(SyncSender<String>, Receiver<()>);

impl RowWriter for Gate {
    fn write_row(&mut self, cells: &[CellValue<'_>]) -> io::Result<()> {
        self.0.send(format!("{cells:?}")).map_err(io::Error::other)?;
        self.1.recv().map_err(io::Error::other)
    }

    fn finish(self: Box<Self>) -> io::Result<()> {
        self.0.send("end".into()).map_err(io::Error::other)
    }
}

fn gate() -> (MakeRowWriter, Receiver<String>, SyncSender<()>) {
    let ((rows, told), (go, gone)) = (sync_channel(100), sync_channel(100));
    (Box::new(|| Ok(Box::new(Gate(rows, gone)))), told, go)
}

#[tokio::test]
async fn the_columns_of_the_domain_are_those_of_the_tables() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    filled(&path).await.close().await;
    let connection = Connection::open(&path).unwrap();
    for table in Table::ALL {
        let sql = "SELECT name, \"notnull\" OR pk > 0 FROM pragma_table_info(?1)";
        let mut select = connection.prepare(sql).unwrap();
        let columns: Vec<(String, bool)> = select
            .query_map([table.name()], |row| Ok((row.get(0)?, row.get(1)?)))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let ours = table.columns().iter().map(|column| (column.name.to_owned(), !column.optional));
        assert_eq!(ours.collect::<Vec<_>>(), columns, "{table}");
    }
}

#[tokio::test]
async fn a_table_is_read_in_order_and_as_it_was_when_that_began() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("tvshows.db")).await;
    let (sink, rows, go) = gate();
    let export = tokio::spawn({
        let store = store.clone();
        async move { store.export(Table::AllShows, sink).await }
    });
    let next = |rows: Receiver<String>| async {
        tokio::task::spawn_blocking(move || (rows.recv().unwrap(), rows)).await.unwrap()
    };
    let (first, rows) = next(rows).await;
    assert!(first.starts_with("[Integer(1), Text(\"Show"), "{first}");

    let status = running();
    store.begin(&status, BY_CLAIM).await.unwrap();
    store.stage_pages(vec![(0, vec![show(3)])], at(5), &status).await.unwrap();
    store.publish(&[], at(6), success(&status)).await.unwrap();
    for _ in 0..2 {
        go.send(()).unwrap();
    }
    let (second, rows) = next(rows).await;
    assert!(second.starts_with("[Integer(2),"), "{second}");
    assert_eq!(next(rows).await.0, "end");
    export.await.unwrap().unwrap();
}

#[tokio::test]
async fn too_many_exports_are_refused_at_once_and_disturb_no_reader() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("tvshows.db")).await;
    let mut gates = Vec::new();
    for _ in 0..4 {
        let (sink, rows, go) = gate();
        let store = store.clone();
        let export = tokio::spawn(async move { store.export(Table::AllShows, sink).await });
        let (_, rows) =
            tokio::task::spawn_blocking(move || (rows.recv().unwrap(), rows)).await.unwrap();
        gates.push((export, rows, go));
    }
    let (sink, _, _) = gate();
    let refused = store.export(Table::TopShows, sink).await;
    assert!(matches!(refused, Err(StoreError::TooManyExports)), "{refused:?}");
    let refused = store.export_all(Box::new(io::sink())).await;
    assert!(matches!(refused, Err(StoreError::TooManyExports)), "{refused:?}");
    assert!(store.show(ShowId(1)).await.unwrap().is_some());

    // One is not taken any more: its connection is free again.
    let (export, rows, go) = gates.pop().unwrap();
    drop((rows, go));
    let ended = export.await.unwrap();
    assert!(matches!(ended, Err(StoreError::ExportAborted { .. })), "{ended:?}");
    store.export_all(Box::new(io::sink())).await.unwrap();
}
