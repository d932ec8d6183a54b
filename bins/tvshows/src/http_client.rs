use std::net::IpAddr;
use std::time::Duration;

use reqwest::{Client, ClientBuilder, Url};

pub(crate) fn build(url: &Url, timeout: Duration) -> reqwest::Result<Client> {
    builder(url, timeout).build()
}

/// Configures a client for requests to the host of `url`. They use the proxy of the environment, unless `NO_PROXY` excludes
/// the host or the host is this machine: a proxy would resolve a loopback address to itself.
pub(crate) fn builder(url: &Url, timeout: Duration) -> ClientBuilder {
    let client = Client::builder().timeout(timeout);
    if is_this_machine(url) { client.no_proxy() } else { client }
}

fn is_this_machine(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host
        .trim_start_matches('[')
        .trim_end_matches(']')
        .parse()
        .map(|address: IpAddr| address.to_canonical());
    host == "localhost"
        || host.ends_with(".localhost")
        || address.is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_and_unspecified_addresses_are_this_machine() {
        for (url, expected) in [
            ("http://localhost:8000", true),
            ("http://LOCALHOST", true),
            ("http://tvshows.localhost", true),
            ("http://127.0.0.1:8000", true),
            ("http://127.1.2.3", true),
            ("http://0.0.0.0:8000", true),
            ("http://[::1]:8000", true),
            ("http://[::]", true),
            ("http://[::ffff:127.0.0.1]", true),
            ("http://localhost.example.org", false),
            ("http://notlocalhost", false),
            ("http://192.168.1.1", false),
            ("http://[2001:db8::1]", false),
        ] {
            assert_eq!(is_this_machine(&url.parse().unwrap()), expected, "{url}");
        }
    }
}
