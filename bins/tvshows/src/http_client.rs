use std::net::IpAddr;
use std::time::Duration;

use reqwest::redirect::{Action, Attempt, Policy};
use reqwest::{Client, ClientBuilder, Url};

pub(crate) fn build(url: &Url, timeout: Duration) -> reqwest::Result<Client> {
    builder(url, timeout).build()
}

/// Configures a client for requests to the host of `url`. They use the proxy of the environment, unless `NO_PROXY` excludes
/// the host or the host is this machine: a proxy would resolve a loopback address to itself. Redirects to another
/// scheme, host, or port are errors.
pub(crate) fn builder(url: &Url, timeout: Duration) -> ClientBuilder {
    let client = Client::builder()
        .timeout(timeout)
        .redirect(Policy::custom(redirect_within_origin))
        .referer(false);
    if is_this_machine(url) { client.no_proxy() } else { client }
}

fn redirect_within_origin(attempt: Attempt<'_>) -> Action {
    let to = attempt.url();
    if attempt.previous().last().is_some_and(|from| from.origin() == to.origin()) {
        return Policy::default().redirect(attempt);
    }
    let problem = format!("redirect to another origin, {to}; if it is correct, use that URL");
    attempt.error(problem)
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
    use std::error::Error;

    use wiremock::matchers::path;
    use wiremock::{Mock, MockServer, ResponseTemplate};

    use super::*;

    #[tokio::test]
    async fn only_redirects_within_the_origin_are_followed() {
        let other = MockServer::start().await;
        let server = MockServer::start().await;
        for (from, to) in [("/within", "/health"), ("/across", &format!("{}/health", other.uri()))]
        {
            let redirect = ResponseTemplate::new(307).insert_header("location", to);
            Mock::given(path(from)).respond_with(redirect).mount(&server).await;
        }
        let healthy = ResponseTemplate::new(200);
        Mock::given(path("/health")).respond_with(healthy).mount(&server).await;
        let base: Url = server.uri().parse().unwrap();
        let client = build(&base, Duration::from_secs(10)).unwrap();
        let response = client.get(base.join("/within").unwrap()).send().await.unwrap();
        assert_eq!(response.status(), 200);
        let error = client.post(base.join("/across").unwrap()).send().await.unwrap_err();
        let cause = error.source().unwrap().to_string();
        let expected = format!("redirect to another origin, {}/health; ", other.uri());
        assert!(cause.starts_with(&expected), "{cause}");
        assert!(other.received_requests().await.unwrap().is_empty());
        let requests = server.received_requests().await.unwrap();
        assert!(requests.iter().all(|request| !request.headers.contains_key("referer")));
    }

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
