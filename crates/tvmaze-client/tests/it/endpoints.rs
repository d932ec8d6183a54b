use futures::{StreamExt, TryStreamExt};
use serde_json::{Value, json};
use tvmaze_client::{Client, PageIndex, PersonId, ShowId};
use wiremock::matchers::{header, method, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::upstream::{client, quick_builder, show};

async fn mount_page(server: &MockServer, page: u32, response: ResponseTemplate) {
    Mock::given(method("GET"))
        .and(path("/shows"))
        .and(query_param("page", page.to_string()))
        .respond_with(response)
        .mount(server)
        .await;
}

fn json(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

#[tokio::test]
async fn a_page_is_its_shows_and_a_404_is_the_end() {
    let server = MockServer::start().await;
    mount_page(&server, 0, json(json!([show(1), show(249)]))).await;
    mount_page(&server, 1, json(json!([]))).await;
    let client = client(&server.uri());
    let ids = |shows: Vec<tvmaze_client::Show>| shows.iter().map(|s| s.id.0).collect::<Vec<_>>();
    assert_eq!(client.show_page(PageIndex(0)).await.unwrap().map(ids), Some(vec![1, 249]));
    assert_eq!(client.show_page(PageIndex(1)).await.unwrap().map(ids), Some(vec![]));
    assert_eq!(client.show_page(PageIndex(2)).await.unwrap(), None);
    assert_eq!(client.stats().requests, 3, "a 404 is not retried");
}

#[tokio::test]
async fn pages_come_in_order_until_the_first_404() {
    let server = MockServer::start().await;
    for page in 0..20 {
        mount_page(&server, page, json(json!([show(250 * page)]))).await;
    }
    let client = client(&server.uri());
    let pages: Vec<_> = client.show_pages(PageIndex(3)).try_collect().await.unwrap();
    let indexes: Vec<u32> = pages.iter().map(|page| page.index.0).collect();
    assert_eq!(indexes, (3..20).collect::<Vec<_>>());
    assert_eq!(pages[0].shows[0].id, ShowId(750));
    let ahead = client.concurrency() as u64;
    assert!(client.stats().requests < 17 + 1 + ahead, "few requests beyond the end");
}

#[tokio::test]
async fn the_first_error_is_the_last_item_of_the_stream() {
    let server = MockServer::start().await;
    mount_page(&server, 0, json(json!([show(1)]))).await;
    mount_page(&server, 1, ResponseTemplate::new(403)).await;
    mount_page(&server, 2, json(json!([show(500)]))).await;
    let items: Vec<_> = client(&server.uri()).show_pages(PageIndex(0)).collect().await;
    assert_eq!(items.len(), 2);
    assert!(items[0].is_ok() && items[1].is_err());
}

#[tokio::test]
async fn a_show_keeps_every_key() {
    let server = MockServer::start().await;
    let mut sent = show(7);
    sent["rating"] = json!({"average": 8, "votes": 12});
    sent["name"] = json!("Кухня \u{a0}&amp; \u{200b}");
    sent["a key of tomorrow"] = json!({"nested": [1, 2.5, null]});
    sent["_links"]["nextepisode"] =
        json!({"href": "https://api.tvmaze.com/episodes/1", "name": "One"});
    sent["network"] = json!({"id": 2, "name": "CBS", "officialSite": null,
        "country": {"name": "United States", "code": "US", "timezone": "America/New_York"}});
    Mock::given(path("/shows/7")).respond_with(json(sent.clone())).mount(&server).await;
    let show = client(&server.uri()).show(ShowId(7)).await.unwrap();
    assert_eq!(show.rating.as_ref().unwrap().average, Some(8.0));
    assert_eq!(show.extra["a key of tomorrow"]["nested"][1], json!(2.5));
    assert_eq!(serde_json::to_value(&show).unwrap(), sent);
}

#[tokio::test]
async fn a_show_of_an_old_recording_is_read() {
    let server = MockServer::start().await;
    let old = json!({"id": 7, "name": "Old", "genres": ["Drama"], "externals": {"tvrage": 5}});
    Mock::given(path("/shows/7")).respond_with(json(old)).mount(&server).await;
    let show = client(&server.uri()).show(ShowId(7)).await.unwrap();
    assert_eq!((show.ended, show.updated, show.language), (None, None, None));
    assert_eq!(show.externals.unwrap().tvrage, Some(5));
}

#[tokio::test]
async fn a_missing_show_is_not_found() {
    let server = MockServer::start().await;
    let error = client(&server.uri()).show(ShowId(7)).await.unwrap_err();
    assert!(error.is_not_found() && !error.is_transient());
    assert_eq!(error.attempts(), 1);
}

#[tokio::test]
async fn a_cast_keeps_its_order_and_its_nulls() {
    let server = MockServer::start().await;
    let person = |id: u32| {
        json!({"id": id, "url": "https://www.tvmaze.com/people/1/x", "name": "X", "country": null,
        "birthday": null, "deathday": null, "gender": null, "image": null, "updated": 5,
        "_links": {"self": {"href": "https://api.tvmaze.com/people/1"}}})
    };
    let character = |id: u32| {
        json!({"id": id, "url": null, "name": "Y", "_links": null,
        "image": {"medium": "https://m", "original": "https://o"}})
    };
    let sent = json!([
        {"person": person(9), "character": character(2), "self": false, "voice": true},
        {"person": person(9), "character": character(1)},
    ]);
    Mock::given(path("/shows/7/cast")).respond_with(json(sent.clone())).mount(&server).await;
    let cast = client(&server.uri()).cast(ShowId(7)).await.unwrap();
    assert_eq!((cast[0].person.id, cast[0].character.id.0), (PersonId(9), 2));
    assert_eq!((cast[0].voice, cast[1].voice), (Some(true), None));
    assert_eq!(serde_json::to_value(&cast[0]).unwrap(), sent[0]);
}

const USER_AGENT: &str =
    concat!("my-app/1.0 (me@example.org) tvmaze-client/", env!("CARGO_PKG_VERSION"));

#[tokio::test]
async fn says_who_asks_and_takes_gzip_below_a_path() {
    let server = MockServer::start().await;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    serde_json::to_writer(&mut encoder, &show(7)).unwrap();
    let body = encoder.finish().unwrap();
    Mock::given(path("/tv/shows/7"))
        .and(header("user-agent", USER_AGENT))
        .and(header("accept-encoding", "gzip"))
        .respond_with(
            ResponseTemplate::new(200)
                .insert_header("content-encoding", "gzip")
                .set_body_raw(body, "application/json"),
        )
        .mount(&server)
        .await;
    let client = quick_builder(&format!("{}/tv/", server.uri()))
        .user_agent("my-app/1.0 (me@example.org)")
        .build()
        .unwrap();
    assert_eq!(client.show(ShowId(7)).await.unwrap().id, ShowId(7));
}

#[test]
fn a_setting_that_cannot_work_is_named() {
    let message = |builder: tvmaze_client::ClientBuilder| builder.build().unwrap_err().to_string();
    assert!(message(Client::builder().base_url("tvmaze.com")).contains("\"tvmaze.com\""));
    assert!(message(Client::builder().base_url("ftp://tvmaze.com")).contains("http://"));
    assert!(message(Client::builder().base_url("http://x/?a=b")).contains("query"));
    let secret = message(Client::builder().base_url("https://me:secret@host/"));
    assert!(
        secret.contains("must not contain a user name or password") && !secret.contains("secret")
    );
    assert!(message(Client::builder().concurrency(0)).contains("concurrency"));
    assert!(message(Client::builder().user_agent("a\nb")).contains("user agent"));
}
