use reqwest::{Client, Response};
use serde_json::Value;
use tvmaze_sim::{Behaviour, Catalogue, Simulator};

pub(crate) const NOT_FOUND: &str = r#"{"name":"Not Found","message":"","code":0,"status":404}"#;

/// A simulator of 600 shows, on a port of its own.
pub(crate) async fn simulator(behaviour: Behaviour) -> Simulator {
    Simulator::start("127.0.0.1:0", catalogue(), behaviour).await.expect("a free port")
}

pub(crate) fn catalogue() -> Catalogue {
    Catalogue::synthetic(600, 1)
}

pub(crate) fn faulty(faults: &[&str]) -> Behaviour {
    let faults = faults.iter().map(|text| text.parse().expect("a fault")).collect();
    Behaviour { faults, ..Behaviour::default() }
}

/// A client that neither asks for nor unpacks gzip, nor spends its time on loading certificates.
pub(crate) fn plain_client() -> Client {
    Client::builder().no_gzip().tls_certs_only([]).build().expect("a client")
}

pub(crate) async fn get(simulator: &Simulator, path: &str) -> reqwest::Result<Response> {
    plain_client().get(format!("{}{path}", simulator.base_url())).send().await
}

/// The status and the body of an answer that arrives whole.
pub(crate) async fn answer(simulator: &Simulator, path: &str) -> (u16, String) {
    let response = get(simulator, path).await.expect(path);
    (response.status().as_u16(), response.text().await.expect(path))
}

pub(crate) async fn status(simulator: &Simulator, path: &str) -> u16 {
    answer(simulator, path).await.0
}

pub(crate) fn json(text: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(text.as_ref()).expect("JSON")
}

pub(crate) fn list(text: impl AsRef<[u8]>) -> Vec<Value> {
    serde_json::from_slice(text.as_ref()).expect("a JSON list")
}

/// Every show of a catalogue, page after page.
pub(crate) fn shows(catalogue: &Catalogue) -> Vec<Value> {
    (0..).map_while(|n| catalogue.page(n)).flat_map(list).collect()
}
