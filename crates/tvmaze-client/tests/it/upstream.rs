//! Servers and clients for these tests.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tvmaze_client::{Client, ClientBuilder, RetryPolicy};

/// A builder with two quick retries.
pub(crate) fn quick_builder(base_url: &str) -> ClientBuilder {
    let retry = RetryPolicy {
        max_retries: 2,
        first_delay: Duration::from_millis(1),
        max_delay: Duration::from_millis(2),
        ..RetryPolicy::default()
    };
    Client::builder().base_url(base_url).retry(retry)
}

pub(crate) fn client(base_url: &str) -> Client {
    quick_builder(base_url).build().unwrap()
}

/// A show in TVmaze's current shape, with null in every nullable key.
pub(crate) fn show(id: u32) -> Value {
    json!({
        "id": id, "url": format!("https://www.tvmaze.com/shows/{id}/a-show"), "name": "A show",
        "type": "Scripted", "language": null, "genres": [], "status": "Running", "runtime": null,
        "averageRuntime": null, "premiered": null, "ended": null, "officialSite": null,
        "schedule": {"time": "", "days": []}, "rating": {"average": null}, "weight": 0,
        "network": null, "webChannel": {"id": 1, "name": "Netflix", "country": null, "officialSite": null},
        "dvdCountry": null, "externals": {"tvrage": null, "thetvdb": null, "imdb": null},
        "image": null, "summary": null, "updated": 1_700_000_000,
        "_links": {"self": {"href": format!("https://api.tvmaze.com/shows/{id}")}}
    })
}

/// Starts a server that writes `response` to every connection and closes it. Returns its base URL.
pub(crate) async fn raw(response: &'static [u8]) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(response).await;
        }
    });
    format!("http://{address}")
}

/// Starts a server that accepts connections and never responds. Returns its base URL.
pub(crate) async fn silent() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let mut open = Vec::new();
        while let Ok((socket, _)) = listener.accept().await {
            open.push(socket);
        }
    });
    format!("http://{address}")
}
