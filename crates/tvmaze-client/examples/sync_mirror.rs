//! Keeps a local copy of all shows in sync: `cargo run --release --example sync_mirror -- shows.json`.
//!
//! The first run fetches the whole index. Later runs fetch the updates map, and then only the shows that
//! changed. Set `TVMAZE_BASE_URL` to use another server than TVmaze.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use futures::{StreamExt, TryStreamExt, stream};
use tvmaze_client::{Client, DEFAULT_BASE_URL, PageIndex, Show, ShowId};

type Mirror = BTreeMap<ShowId, Show>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(env::args_os().nth(1).ok_or("usage: sync_mirror FILE")?);
    let client = Client::builder()
        .base_url(env::var("TVMAZE_BASE_URL").unwrap_or(DEFAULT_BASE_URL.into()))
        .user_agent("sync-mirror-example/1.0 (me@example.org)")
        .build()?;

    let mut mirror = load(&path)?;
    let updates = client.show_updates(None).await?;
    if mirror.is_empty() {
        let pages: Vec<_> = client.show_pages(PageIndex(0)).try_collect().await?;
        let shows = pages.into_iter().flat_map(|page| page.shows);
        mirror.extend(shows.map(|show| (show.id, show)));
    }
    let before = mirror.len();
    mirror.retain(|id, _| updates.contains_key(id));
    let deleted = before - mirror.len();

    // Index pages may be a day old, so shows can be outdated after the first run as well.
    let is_outdated =
        |id: &ShowId| mirror.get(id).and_then(|show| show.updated) < updates.get(id).copied();
    let changed: Vec<ShowId> = updates.keys().copied().filter(is_outdated).collect();
    let fetched = stream::iter(changed.iter().map(|id| client.show(*id).send()));
    let mut fetched = fetched.buffer_unordered(client.concurrency());
    while let Some(show) = fetched.next().await {
        match show {
            Ok(show) => _ = mirror.insert(show.id, show),
            // Deleted since the updates map was fetched.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    save(&path, &mirror)?;
    let requests = client.stats().requests;
    println!(
        "{} shows: {} updated, {deleted} deleted; {requests} requests",
        mirror.len(),
        changed.len()
    );
    println!("Source: https://www.tvmaze.com (CC BY-SA)");
    Ok(())
}

fn load(path: &Path) -> Result<Mirror, Box<dyn Error>> {
    match File::open(path) {
        Ok(file) => Ok(serde_json::from_reader(BufReader::new(file))?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Mirror::new()),
        Err(error) => Err(error.into()),
    }
}

/// Writes to a temporary file and renames it, so that readers never see a partial file.
fn save(path: &Path, mirror: &Mirror) -> Result<(), Box<dyn Error>> {
    let temporary = path.with_extension("tmp");
    let mut out = BufWriter::new(File::create(&temporary)?);
    serde_json::to_writer(&mut out, mirror)?;
    out.flush()?;
    fs::rename(temporary, path)?;
    Ok(())
}
