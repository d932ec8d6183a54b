//! Searches for shows by name: `cargo run --example search -- "under the dome"`.
//!
//! Set `TVMAZE_BASE_URL` to use another server than TVmaze.

use std::env;
use std::error::Error;

use tvmaze_client::{Client, DEFAULT_BASE_URL};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let name = env::args().nth(1).ok_or("usage: search NAME")?;
    let client = Client::builder()
        .base_url(env::var("TVMAZE_BASE_URL").unwrap_or(DEFAULT_BASE_URL.into()))
        .user_agent("search-example/1.0 (me@example.org)")
        .build()?;
    let hits = client.search_shows(&name).await?;
    if hits.is_empty() {
        println!("No matching shows.");
    }
    for hit in hits {
        let show = hit.show;
        let year = show.premiered.map_or("????".into(), |date| date.year().to_string());
        let network = show.network.as_ref().or(show.web_channel.as_ref());
        let network = network.and_then(|network| network.name.as_deref()).unwrap_or("?");
        println!("{:>6}  {} ({year}, {network})", show.id, show.name);
        if let Some(summary) = show.summary_text() {
            println!("        {}", summary.lines().next().unwrap_or_default());
        }
    }
    println!("Source: https://www.tvmaze.com (CC BY-SA)");
    Ok(())
}
