use reqwest::{Client, Response};
use serde_json::Value;
use tvmaze_sim::{Dataset, SimConfig, Simulator};

pub(crate) const NOT_FOUND: &str = r#"{"name":"Not Found","message":"","code":0,"status":404}"#;

/// A simulator of 600 shows on a free port.
pub(crate) async fn simulator(config: SimConfig) -> Simulator {
    Simulator::start("127.0.0.1:0", dataset(), config).await.expect("a free port")
}

pub(crate) fn dataset() -> Dataset {
    Dataset::synthetic(600, 1)
}

pub(crate) fn faulty(faults: &[&str]) -> SimConfig {
    let faults = faults.iter().map(|text| text.parse().expect("a fault")).collect();
    SimConfig { faults, ..SimConfig::default() }
}

/// A client without gzip and, to start faster, without certificates.
pub(crate) fn plain_client() -> Client {
    Client::builder().no_gzip().tls_certs_only([]).build().expect("a client")
}

pub(crate) async fn get(simulator: &Simulator, path: &str) -> reqwest::Result<Response> {
    plain_client().get(format!("{}{path}", simulator.base_url())).send().await
}

/// The status and the body of a complete response.
pub(crate) async fn fetch(simulator: &Simulator, path: &str) -> (u16, String) {
    let response = get(simulator, path).await.expect(path);
    (response.status().as_u16(), response.text().await.expect(path))
}

pub(crate) async fn status(simulator: &Simulator, path: &str) -> u16 {
    fetch(simulator, path).await.0
}

pub(crate) fn json(text: impl AsRef<[u8]>) -> Value {
    serde_json::from_slice(text.as_ref()).expect("JSON")
}

pub(crate) fn list(text: impl AsRef<[u8]>) -> Vec<Value> {
    serde_json::from_slice(text.as_ref()).expect("a JSON list")
}

/// All shows of a dataset, in the order of the pages.
pub(crate) fn shows(dataset: &Dataset) -> Vec<Value> {
    (0..).map_while(|n| dataset.page(n)).flat_map(list).collect()
}
