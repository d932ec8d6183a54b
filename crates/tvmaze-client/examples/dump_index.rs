//! Writes all shows as NDJSON: `cargo run --release --example dump_index > shows.ndjson`.
//!
//! Set `TVMAZE_BASE_URL` to use another server than TVmaze.

use std::env;
use std::error::Error;
use std::io::{BufWriter, Write, stdout};
use std::pin::pin;

use futures::TryStreamExt;
use indicatif::{ProgressBar, ProgressStyle};
use tvmaze_client::{Client, DEFAULT_BASE_URL, PageIndex};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let client = Client::builder()
        .base_url(env::var("TVMAZE_BASE_URL").unwrap_or(DEFAULT_BASE_URL.into()))
        .user_agent("dump-index-example/1.0 (me@example.org)")
        .build()?;
    // The updates map has every id, so it determines the number of pages.
    let newest = client.show_updates(None).await?.last_key_value().map(|(id, _)| *id);
    let pages = newest.map_or(0, |id| PageIndex::containing(id).0 + 1);
    let style = "{bar:40} page {pos} of {len}, {per_sec}, {eta} left, {msg}";
    let bar = ProgressBar::new(pages.into()).with_style(ProgressStyle::with_template(style)?);

    let mut out = BufWriter::new(stdout().lock());
    let mut shows = 0;
    let mut pages = pin!(client.show_pages(PageIndex(0)));
    while let Some(page) = pages.try_next().await? {
        for show in &page.shows {
            serde_json::to_writer(&mut out, show)?;
            out.write_all(b"\n")?;
        }
        shows += page.shows.len();
        let stats = client.stats();
        bar.set_message(format!("{shows} shows, rate-limited {} times", stats.rate_limited));
        bar.inc(1);
    }
    out.flush()?;
    bar.finish();
    eprintln!(
        "{shows} shows, {} requests. Source: https://www.tvmaze.com (CC BY-SA)",
        client.stats().requests
    );
    Ok(())
}
