//! Prints when the next episode of a show is broadcast: `cargo run --example next_episode -- "silo"`.
//!
//! Set `TVMAZE_BASE_URL` to use another server than TVmaze.

use std::env;
use std::error::Error;

use tvmaze_client::{Client, DEFAULT_BASE_URL, embed};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let name = env::args().nth(1).ok_or("usage: next_episode NAME")?;
    let client = Client::builder()
        .base_url(env::var("TVMAZE_BASE_URL").unwrap_or(DEFAULT_BASE_URL.into()))
        .user_agent("next-episode-example/1.0 (me@example.org)")
        .build()?;
    let found = client.single_search(&name).embed(embed::NextEpisode).await?;
    let Some(show) = found else {
        println!("No show matches {name:?}.");
        return Ok(());
    };
    match &show.embedded {
        Some(episode) => {
            let day = episode.airdate.map_or("date unknown".into(), |date| date.to_string());
            println!("{}: {}, {day}", show.name, episode.name);
        }
        None => println!("{}: no upcoming episode", show.name),
    }
    println!("Source: https://www.tvmaze.com (CC BY-SA)");
    Ok(())
}
