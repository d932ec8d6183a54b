//! Redirects stay at the origin of the base URL, unless the application allows others.

use futures::TryStreamExt;
use tvmaze_client::{Client, Error, ExternalId, PageIndex, Show, ShowId, Url, reqwest};
use wiremock::matchers::{any, path};
use wiremock::{Mock, MockServer, Request, ResponseTemplate};

use crate::upstream::{client, quick_builder, show};

/// A server that redirects `from` to `to`, and serves show 7 at `/shows/7`.
async fn redirecting(from: &str, to: &str) -> MockServer {
    let server = MockServer::start().await;
    redirect(&server, from, to).await;
    let found = ResponseTemplate::new(200).set_body_json(show(7));
    Mock::given(path("/shows/7")).respond_with(found).mount(&server).await;
    server
}

async fn redirect(server: &MockServer, from: &str, to: &str) {
    let redirect = ResponseTemplate::new(302).insert_header("location", to);
    Mock::given(path(from)).respond_with(redirect).mount(server).await;
}

/// A server at another port, which serves show 7, and a server that redirects to it.
async fn two_servers() -> (MockServer, MockServer) {
    let other = redirecting("/", "/").await;
    let server = redirecting("/shows/1", &format!("{}/shows/7", other.uri())).await;
    (server, other)
}

async fn requests(server: &MockServer) -> Vec<Request> {
    server.received_requests().await.unwrap()
}

/// Checks that the error is a rejected redirect to `location`, without a retry.
fn rejects(error: &Error, location: &str) {
    let Error::CrossOriginRedirect { location: rejected, .. } = error else { panic!("{error}") };
    assert_eq!(rejected.as_str(), location);
    assert!(error.attempts() == 1 && !error.is_transient() && !error.is_not_found(), "{error}");
}

#[tokio::test]
async fn another_origin_is_not_requested() {
    let (server, other) = two_servers().await;
    let client = client(&server.uri());
    let error = client.show(ShowId(1)).await.unwrap_err();
    let location = format!("{}/shows/7", other.uri());
    rejects(&error, &location);
    let expected = format!(
        "{}/shows/1 redirects to another origin, {location}, which is not followed; if it is correct, \
         change the base URL to {}",
        server.uri(),
        other.uri()
    );
    assert_eq!(error.to_string(), expected);
    let optional = client.show(ShowId(1)).decode_as::<Option<Show>>().await;
    rejects(&optional.unwrap_err(), &location);
    assert!(requests(&other).await.is_empty());
}

#[tokio::test]
async fn an_index_that_redirects_to_another_origin_fails_once() {
    let other = MockServer::start().await;
    let server = redirecting("/shows", &format!("{}/shows?page=0", other.uri())).await;
    let client = quick_builder(&server.uri()).concurrency(1).build().unwrap();
    let pages: Result<Vec<_>, _> = client.show_pages(PageIndex(0)).try_collect().await;
    rejects(&pages.unwrap_err(), &format!("{}/shows?page=0", other.uri()));
    assert_eq!((requests(&server).await.len(), requests(&other).await.len()), (1, 0));
}

#[tokio::test]
async fn an_origin_is_scheme_host_and_port() {
    let server = MockServer::start().await;
    let base: Url = server.uri().parse().unwrap();
    let port = base.port().unwrap();
    // An upgrade to TLS is another origin as well. The error contains the base URL to use.
    let upgrade = format!("https://127.0.0.1:{port}/shows/7");
    for location in
        [&upgrade, &format!("http://localhost:{port}/shows/7"), "ftp://127.0.0.1/shows/7"]
    {
        server.reset().await;
        redirect(&server, "/shows/1", location).await;
        let error = client(&server.uri()).show(ShowId(1)).await.unwrap_err();
        rejects(&error, location);
        let origin = location.strip_suffix("/shows/7").unwrap();
        assert!(
            error.to_string().ends_with(&format!("change the base URL to {origin}")),
            "{error}"
        );
    }
    server.reset().await;
    redirect(&server, "/shows/1", &format!("//localhost:{port}/shows/7")).await;
    let error = client(&server.uri()).show(ShowId(1)).await.unwrap_err();
    rejects(&error, &format!("http://localhost:{port}/shows/7"));
}

#[tokio::test]
async fn redirects_within_the_origin_are_followed_without_a_referer() {
    let server = MockServer::start().await;
    let to = format!("{}/shows/7", server.uri());
    redirect(&server, "/lookup/shows", &to).await;
    let found = ResponseTemplate::new(200).set_body_json(show(7));
    Mock::given(path("/shows/7")).respond_with(found).mount(&server).await;
    let found = client(&server.uri()).lookup(&ExternalId::Imdb("tt0944947".into())).await;
    assert_eq!(found.unwrap().unwrap().id, ShowId(7));
    let requests = requests(&server).await;
    assert_eq!(requests.len(), 2);
    assert!(
        requests.iter().all(|request| !request.headers.contains_key("referer")),
        "{requests:?}"
    );
}

#[tokio::test]
async fn every_redirect_of_a_chain_is_checked() {
    let (server, other) = two_servers().await;
    redirect(&server, "/shows/2", "/shows/1").await;
    let error = client(&server.uri()).show(ShowId(2)).await.unwrap_err();
    rejects(&error, &format!("{}/shows/7", other.uri()));
    assert!(requests(&other).await.is_empty());
}

#[tokio::test]
async fn a_chain_may_have_five_redirects() {
    let server = redirecting("/shows/1", "/shows/2").await;
    for id in 2..=5 {
        let to = if id == 5 { 7 } else { id + 1 };
        redirect(&server, &format!("/shows/{id}"), &format!("/shows/{to}")).await;
    }
    let client = client(&server.uri());
    assert_eq!(client.show(ShowId(1)).await.unwrap().id, ShowId(7));
    redirect(&server, "/shows/9", "/shows/1").await;
    let error = client.show(ShowId(9)).await.unwrap_err();
    let text =
        format!("cannot follow the redirect of {}/shows/9: too many redirects", server.uri());
    assert!(matches!(error, Error::Redirect { .. }) && error.attempts() == 1, "{error}");
    assert_eq!(error.to_string(), text);
}

#[tokio::test]
async fn other_origins_can_be_allowed() {
    let (server, other) = two_servers().await;
    let client = quick_builder(&server.uri()).allow_cross_origin_redirects(true).build().unwrap();
    assert_eq!(client.show(ShowId(1)).await.unwrap().id, ShowId(7));
    let requests = requests(&other).await;
    assert!(!requests[0].headers.contains_key("referer"), "{requests:?}");
    redirect(&server, "/shows/3", "/shows/3").await;
    let error = client.show(ShowId(3)).await.unwrap_err();
    assert!(matches!(error, Error::Redirect { .. }), "{error}");
}

#[tokio::test]
async fn what_the_applications_own_client_gets_from_another_origin_is_rejected() {
    let (server, other) = two_servers().await;
    let builder = || quick_builder(&server.uri()).http_client(reqwest::Client::new());
    let client = builder().build().unwrap();
    rejects(&client.show(ShowId(1)).await.unwrap_err(), &format!("{}/shows/7", other.uri()));
    let client = builder().allow_cross_origin_redirects(true).build().unwrap();
    assert_eq!(client.show(ShowId(1)).await.unwrap().id, ShowId(7));
}

/// An HTTP client with a header of its own and a policy of its own.
fn custom_client() -> reqwest::Client {
    let headers = [("x-api-key", "secret"), ("user-agent", "proxy-agent/1.0")];
    let headers = headers.map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap()));
    let builder = reqwest::Client::builder().default_headers(headers.into_iter().collect());
    builder.redirect(reqwest::redirect::Policy::none()).build().unwrap()
}

#[tokio::test]
async fn the_applications_own_client_sends_the_requests() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503);
    Mock::given(any()).respond_with(busy).up_to_n_times(1).with_priority(1).mount(&server).await;
    let found = ResponseTemplate::new(200).set_body_json(show(7));
    Mock::given(path("/shows/7")).respond_with(found).mount(&server).await;
    let builder = || quick_builder(&server.uri()).http_client(custom_client());
    assert_eq!(builder().build().unwrap().show(ShowId(7)).await.unwrap().id, ShowId(7));
    let named: Client = builder().user_agent("my-app/1.0").build().unwrap();
    assert!(named.show(ShowId(7)).await.is_ok());

    let requests = requests(&server).await;
    let header = |name: &str| -> Vec<String> {
        let values = requests.iter().map(|request| request.headers.get_all(name));
        values
            .map(|values| {
                values.iter().map(|value| value.to_str().unwrap()).collect::<Vec<_>>().join("|")
            })
            .collect()
    };
    assert_eq!(header("x-api-key"), ["secret"; 3], "also in a retry");
    assert_eq!(header("accept"), ["application/json"; 3]);
    let ours = format!("my-app/1.0 tvmaze-client/{}", env!("CARGO_PKG_VERSION"));
    assert_eq!(header("user-agent"), ["proxy-agent/1.0", "proxy-agent/1.0", &ours]);

    redirect(&server, "/shows/1", "/shows/7").await;
    let error = named.show(ShowId(1)).await.unwrap_err();
    assert_eq!(error.status().map(|status| status.as_u16()), Some(302), "its policy applies");
}
