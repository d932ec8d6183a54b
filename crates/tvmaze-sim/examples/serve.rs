//! Serves a synthetic catalogue until Ctrl-C: `serve [SHOWS] [ADDRESS]`.

use std::error::Error;

use tvmaze_sim::{Behaviour, Catalogue, Simulator};

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let shows = arguments.next().map_or(Ok(90_000), |shows| shows.parse())?;
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8123".to_owned());
    let catalogue = Catalogue::synthetic(shows, 1);
    let simulator = Simulator::start(address, catalogue, Behaviour::default()).await?;
    println!("{}/shows?page=0", simulator.base_url());
    tokio::signal::ctrl_c().await?;
    println!("{} requests", simulator.request_count());
    simulator.stop().await;
    Ok(())
}
