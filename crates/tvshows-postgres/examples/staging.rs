//! Compares a full run with a binary COPY of the same rows in commits of 1,000, in the same database:
//! `staging DATABASE_URL`. The database must be empty. Prints the seconds of each.

use std::pin::pin;
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Client, NoTls};
use tvshows_core::conformance::fixtures::{WITH_LOCK, at, running, success};
use tvshows_core::{RunLock, RunQueue, Show, ShowId, SnapshotSource, StagedBatch};
use tvshows_postgres::PostgresStore;

const SHOWS: u32 = 84_670;
const BATCH: usize = 1000;

type Result<T> = std::result::Result<T, Box<dyn std::error::Error>>;

#[tokio::main]
async fn main() -> Result<()> {
    let url = std::env::args().nth(1).ok_or("usage: staging DATABASE_URL")?;
    let store = PostgresStore::new(&url)?;
    store.migrate().await?;
    let (client, connection) = tokio_postgres::connect(&url, NoTls).await?;
    tokio::spawn(connection);
    let shows: Vec<Show> = (1..=SHOWS).map(synthetic_show).collect();
    let size = client.query_one("SHOW shared_buffers", &[]).await?.get::<_, String>(0);
    println!("{SHOWS} shows, shared_buffers {size}");
    run(&store, "first run", &shows).await?;
    copy_rows(&client).await?;
    run(&store, "unchanged run", &shows).await?;
    let next: Vec<Show> = shows.iter().map(slightly_changed).collect();
    run(&store, "run with 1 % changed", &next).await?;
    let started = Instant::now();
    let mut changes = store.changes_since(None).await?;
    let mut count = 0;
    while let Some(batch) = changes.shows.next().await {
        count += batch?.len();
    }
    println!("{:6.3} s  pull of all {count} shows", started.elapsed().as_secs_f64());
    let started = Instant::now();
    let manifest = store.manifest().await?;
    println!(
        "{:6.3} s  manifest of {} shows",
        started.elapsed().as_secs_f64(),
        manifest.shows.len()
    );
    Ok(())
}

fn synthetic_show(id: u32) -> Show {
    let mut show = tvshows_core::conformance::fixtures::show(id);
    let words = (0..90)
        .map(|word| format!("{:x}", (u64::from(id) * 7919 + word) * 2_654_435_761 % 1_048_576));
    show.summary = Some(format!("<p>{}</p>", words.collect::<Vec<_>>().join(" ")));
    show
}

fn slightly_changed(show: &Show) -> Show {
    let weight = if show.id.0.is_multiple_of(100) { Some(77) } else { show.weight };
    Show { weight, ..show.clone() }
}

async fn run(store: &PostgresStore, name: &str, shows: &[Show]) -> Result<()> {
    let batches: Vec<_> = shows.chunks(BATCH).map(<[Show]>::to_vec).collect();
    let status = running();
    assert!(store.acquire(&status.instance, None).await?);
    let started = Instant::now();
    let session = store.begin(&status, WITH_LOCK).await?;
    for (page, batch) in (0..).zip(batches) {
        let pages = vec![(page, batch)];
        let batch = Arc::new(StagedBatch::Pages { pages, at: at(2) });
        session.commit(Some(batch), &status).await?;
    }
    let staged = started.elapsed().as_secs_f64();
    let top = [ShowId(1), ShowId(2)];
    session.publish(&top, &[], at(4), success(&status)).await?;
    let total = started.elapsed().as_secs_f64();
    println!("{total:6.3} s  {name}: staging {staged:.3}, publishing {:.3}", total - staged);
    Ok(())
}

/// Copies the rows of the published snapshot to an equal table.
async fn copy_rows(client: &Client) -> Result<()> {
    client.batch_execute("CREATE TABLE reference (LIKE _show_versions INCLUDING ALL)").await?;
    let rows = client.query("SELECT * FROM _show_versions ORDER BY id", &[]).await?;
    let types: Vec<Type> = rows[0].columns().iter().map(|column| column.type_().clone()).collect();
    let rows: Vec<Vec<Box<dyn ToSql + Sync>>> = rows
        .iter()
        .map(|row| types.iter().enumerate().map(|(index, kind)| value(row, index, kind)).collect())
        .collect();
    let started = Instant::now();
    for batch in rows.chunks(BATCH) {
        client.batch_execute("BEGIN").await?;
        let sink = client.copy_in("COPY reference FROM STDIN BINARY").await?;
        let mut writer = pin!(BinaryCopyInWriter::new(sink, &types));
        for row in batch {
            let row: Vec<&(dyn ToSql + Sync)> = row.iter().map(AsRef::as_ref).collect();
            writer.as_mut().write(&row).await?;
        }
        writer.finish().await?;
        client.batch_execute("COMMIT").await?;
    }
    println!("{:6.3} s  binary COPY of the same rows", started.elapsed().as_secs_f64());
    client.batch_execute("DROP TABLE reference").await?;
    Ok(())
}

fn value(row: &tokio_postgres::Row, index: usize, kind: &Type) -> Box<dyn ToSql + Sync> {
    match *kind {
        Type::INT8 => Box::new(row.get::<_, Option<i64>>(index)),
        Type::FLOAT8 => Box::new(row.get::<_, Option<f64>>(index)),
        Type::BYTEA => Box::new(row.get::<_, Option<Vec<u8>>>(index)),
        Type::TIMESTAMPTZ => Box::new(row.get::<_, Option<jiff::Timestamp>>(index)),
        _ => Box::new(row.get::<_, Option<String>>(index)),
    }
}
