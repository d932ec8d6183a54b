//! Requests and responses byte by byte, for what no HTTP client sends or shows.

use std::time::Duration;

use serde_json::Value;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tvshows_testkit::Service;

/// Longer than any response takes; only a hang lasts longer.
const TIMEOUT: Duration = Duration::from_mins(1);

/// A response as it was sent.
pub(crate) struct Response {
    /// The status line and the header, whose names the service writes in lower case.
    pub(crate) header: String,
    pub(crate) body: Vec<u8>,
    /// Whether the connection was closed rather than reset.
    pub(crate) is_closed: bool,
}

impl Response {
    pub(crate) fn status(&self) -> u16 {
        self.header.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0)
    }

    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut fields = self.header.lines().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| *field == name).map(|(_, value)| value)
    }

    pub(crate) fn text(&self) -> &str {
        str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.address()).await.unwrap()
}

/// Sends bytes and reads the response until the server closes the connection.
pub(crate) async fn exchange(service: &Service, request: impl AsRef<[u8]>) -> Response {
    let mut connection = connect(service).await;
    connection.write_all(request.as_ref()).await.unwrap();
    read_to_end(connection).await
}

/// Reads a response until the server closes the connection.
pub(crate) async fn read_to_end(mut connection: TcpStream) -> Response {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(TIMEOUT, connection.read_to_end(&mut bytes)).await;
    let is_closed = read.expect("the server closes the connection").is_ok();
    let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").unwrap_or(bytes.len());
    let body = bytes.split_off((end + 4).min(bytes.len()));
    let header = String::from_utf8(bytes).unwrap();
    Response { header, body, is_closed }
}

/// The resident memory of the process in kB; `None` where the system has no `/proc`.
pub(crate) fn resident(service: &Service) -> Option<u64> {
    let path = format!("/proc/{}/status", service.process.id()?);
    let status = std::fs::read_to_string(path).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
