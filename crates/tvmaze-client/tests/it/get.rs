//! Paths without a method of their own.

use serde::Deserialize;
use serde_json::{Value, json};
use tvmaze_client::{Error, Show, ShowId, embed};
use wiremock::matchers::{any, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::upstream::{client, quick_builder, show};

#[derive(Debug, Deserialize, PartialEq)]
struct Named {
    name: String,
}

#[tokio::test]
async fn a_path_and_its_parameters_are_requested_below_the_base_url() {
    let server = MockServer::start().await;
    let body = ResponseTemplate::new(200).set_body_json(json!({"name": "A show"}));
    Mock::given(path("/api/new"))
        .and(query_param("a b", "c&d=é"))
        .and(query_param("page", "7"))
        .respond_with(body)
        .expect(2)
        .mount(&server)
        .await;
    let client = client(&format!("{}/api/", server.uri()));
    let named = client.get::<Named>("/new").query("a b", "c&d=é").query("page", 7).await.unwrap();
    assert_eq!(named, Named { name: "A show".into() });
    let value = client.get::<Value>("/new?page=7").query(String::from("a b"), "c&d=é").await;
    assert_eq!(value.unwrap(), json!({"name": "A show"}));
}

#[tokio::test]
async fn it_is_retried_and_fails_like_all_calls() {
    let server = MockServer::start().await;
    let broken = ResponseTemplate::new(200).set_body_json(json!({"name": 7}));
    Mock::given(any()).respond_with(broken).expect(3).mount(&server).await;
    let error = client(&server.uri()).get::<Named>("/new").await.unwrap_err();
    assert!(matches!(&error, Error::Decode { path, .. } if path == "name"), "{error}");
    assert_eq!(error.attempts(), 3);
}

#[tokio::test]
async fn a_404_is_none_for_an_option_and_otherwise_an_error() {
    let server = MockServer::start().await;
    let client = client(&server.uri());
    assert_eq!(client.get::<Option<Named>>("/new").await.unwrap(), None);
    assert!(client.get::<Named>("/new").await.unwrap_err().is_not_found());
    assert!(client.get::<Value>("/new").await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_model_can_have_others_embedded() {
    let server = MockServer::start().await;
    let mut body = show(7);
    body["_embedded"] = json!({"cast": []});
    let response = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(query_param("embed", "cast")).respond_with(response).mount(&server).await;
    let show = client(&server.uri()).get::<Show>("/shows/7").embed(embed::Cast).await.unwrap();
    assert_eq!((show.id, show.embedded), (ShowId(7), vec![]));
}

#[tokio::test]
async fn a_path_cannot_change_the_host() {
    let client = quick_builder("http://localhost").build().unwrap();
    for path in ["", "shows", ".example.org/shows", "@example.org/", ":80@example.org", "http://a"]
    {
        let error = client.get::<Value>(path).await.unwrap_err();
        assert!(matches!(error, Error::InvalidPath { .. }) && !error.is_transient(), "{error}");
        assert_eq!(error.to_string(), format!("invalid path {path:?}: it must start with a slash"));
    }
    assert_eq!(client.stats().requests, 0);
    for path in ["//example.org/shows", "/../../shows", "/\\example.org", "/@example.org"] {
        let error = client.get::<Value>(path).await.unwrap_err();
        assert_eq!(error.url().and_then(|url| url.host_str()), Some("localhost"), "{path}");
    }
}
