//! Exports of whole tables: their columns, and the limit of concurrent exports.

use std::io;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{
    at, begin, cast_member, cast_of, pages, publish, running, show, success,
};
use tvshows_core::{
    Catalog, CellValue, MakeRowWriter, RowWriter, RunQueue, ShowFilter, ShowId, StoreError, Table,
};
use tvshows_sqlite::SqliteStore;

async fn filled(path: &std::path::Path) -> Arc<SqliteStore> {
    let store = SqliteStore::open(path).await.unwrap();
    let status = running();
    let session = begin(&store, &status).await;
    session.commit(pages(vec![(0, vec![show(2), show(1)])], at(2)), &status).await.unwrap();
    let cast = vec![cast_member(1, 1, 1)];
    session.commit(cast_of(&show(1), cast, at(3)), &status).await.unwrap();
    session.publish(&[ShowId(1)], &[], at(3), success(&status)).await.unwrap();
    Arc::new(store)
}

/// Sends each row, and waits until it may continue.
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
    let ((rows, sent), (permit, permits)) = (sync_channel(100), sync_channel(100));
    (Box::new(|_| Ok(Box::new(Gate(rows, permits)))), sent, permit)
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
        let described =
            table.columns().iter().map(|column| (column.name.to_owned(), !column.is_nullable));
        assert_eq!(described.collect::<Vec<_>>(), columns, "{table}");
    }
}

#[tokio::test]
async fn a_table_is_read_in_order_and_as_it_was_when_that_began() {
    let folder = tempfile::tempdir().unwrap();
    let store = filled(&folder.path().join("tvshows.db")).await;
    let (sink, rows, go) = gate();
    let export = tokio::spawn({
        let store = store.clone();
        async move { store.export(Table::AllShows, ShowFilter::default(), sink).await }
    });
    let next = |rows: Receiver<String>| async {
        tokio::task::spawn_blocking(move || (rows.recv().unwrap(), rows)).await.unwrap()
    };
    let (first, rows) = next(rows).await;
    assert!(first.starts_with("[Integer(1), Text(\"Show"), "{first}");

    publish(&*store, vec![show(3)], &[]).await;
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
        let export = tokio::spawn(async move {
            store.export(Table::AllShows, ShowFilter::default(), sink).await
        });
        let (_, rows) =
            tokio::task::spawn_blocking(move || (rows.recv().unwrap(), rows)).await.unwrap();
        gates.push((export, rows, go));
    }
    let (sink, _, _) = gate();
    let refused = store.export(Table::TopShows, ShowFilter::default(), sink).await;
    assert!(matches!(refused, Err(StoreError::TooManyExports)), "{refused:?}");
    let refused = store.backup_to(Box::new(io::sink())).await;
    assert!(matches!(refused, Err(StoreError::TooManyExports)), "{refused:?}");
    assert!(store.show(ShowId(1).into()).await.unwrap().is_some());

    // When the receiver of an export fails, its connection becomes available again.
    let (export, rows, go) = gates.pop().unwrap();
    drop((rows, go));
    let ended = export.await.unwrap();
    assert!(matches!(ended, Err(StoreError::ExportAborted { .. })), "{ended:?}");
    store.backup_to(Box::new(io::sink())).await.unwrap();
}
