//! Keeps a copy of every show: `cargo run --release --example keep_in_sync -- shows.json`.
//!
//! The first time it reads the whole index; after that, one request says what changed, and only that
//! is fetched. `TVMAZE_BASE_URL` asks somewhere else than at TVmaze.

use std::collections::BTreeMap;
use std::env;
use std::error::Error;
use std::fs::{self, File};
use std::io::{BufReader, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

use futures::{StreamExt, TryStreamExt, stream};
use tvmaze_client::{Client, DEFAULT_BASE_URL, PageIndex, Show, ShowId};

type Copy = BTreeMap<ShowId, Show>;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let path = PathBuf::from(env::args_os().nth(1).ok_or("usage: keep_in_sync FILE")?);
    let client = Client::builder()
        .base_url(env::var("TVMAZE_BASE_URL").unwrap_or(DEFAULT_BASE_URL.into()))
        .user_agent("keep-in-sync-example/1.0 (me@example.org)")
        .build()?;

    let mut copy = load(&path)?;
    let updates = client.show_updates(None).await?;
    if copy.is_empty() {
        let pages: Vec<_> = client.show_pages(PageIndex(0)).try_collect().await?;
        let shows = pages.into_iter().flat_map(|page| page.shows);
        copy.extend(shows.map(|show| (show.id, show)));
    }
    let before = copy.len();
    copy.retain(|id, _| updates.contains_key(id));
    let gone = before - copy.len();

    // A page of the index may be a day old, so this holds for the first time as well.
    let is_old =
        |id: &ShowId| copy.get(id).and_then(|show| show.updated) < updates.get(id).copied();
    let changed: Vec<ShowId> = updates.keys().copied().filter(is_old).collect();
    let fetched = stream::iter(changed.iter().map(|id| client.show(*id).send()));
    let mut fetched = fetched.buffer_unordered(client.concurrency());
    while let Some(show) = fetched.next().await {
        match show {
            Ok(show) => _ = copy.insert(show.id, show),
            // Deleted since the map was made.
            Err(error) if error.is_not_found() => {}
            Err(error) => return Err(error.into()),
        }
    }
    save(&path, &copy)?;
    let requests = client.stats().requests;
    println!(
        "{} shows: {} fetched alone, {gone} gone; {requests} requests",
        copy.len(),
        changed.len()
    );
    println!("Source: https://www.tvmaze.com (CC BY-SA)");
    Ok(())
}

fn load(path: &Path) -> Result<Copy, Box<dyn Error>> {
    match File::open(path) {
        Ok(file) => Ok(serde_json::from_reader(BufReader::new(file))?),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Copy::new()),
        Err(error) => Err(error.into()),
    }
}

/// Writes beside the file and renames, so that a reader never sees half of it.
fn save(path: &Path, copy: &Copy) -> Result<(), Box<dyn Error>> {
    let unfinished = path.with_extension("unfinished");
    let mut out = BufWriter::new(File::create(&unfinished)?);
    serde_json::to_writer(&mut out, copy)?;
    out.flush()?;
    fs::rename(unfinished, path)?;
    Ok(())
}
