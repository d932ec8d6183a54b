//! TVmaze redirects the id of a show that was merged into another one.

use serde_json::{Value, json};
use tvshows_core::{RunState, ShowId};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::TestEnv;

fn show(id: u32, updated: i64) -> Value {
    json!({"id": id, "name": format!("Show {id}"), "updated": updated, "language": "English",
        "genres": ["Action"], "premiered": "2024-01-01", "rating": {"average": 9 - id}})
}

fn response(body: &Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

async fn mount(server: &MockServer, at: &str, response: ResponseTemplate) {
    Mock::given(path(at)).respond_with(response).mount(server).await;
}

async fn redirect(server: &MockServer, from: &str, to: &str) {
    mount(server, from, ResponseTemplate::new(301).insert_header("location", to)).await;
}

/// A TVmaze with shows 1 to 3 on its index page, and show 2 merged into show 1.
async fn upstream(updates: Value) -> MockServer {
    let server = MockServer::start().await;
    let shows = json!([show(1, 10), show(2, 10), show(3, 10)]);
    let page = Mock::given(path("/shows")).and(query_param("page", "0"));
    page.respond_with(response(&shows)).mount(&server).await;
    mount(&server, "/updates/shows", response(&updates)).await;
    redirect(&server, "/shows/2", "/shows/1").await;
    redirect(&server, "/shows/2/cast", "/shows/1/cast").await;
    for id in [1, 3] {
        mount(&server, &format!("/shows/{id}"), response(&show(id, 10))).await;
        let cast =
            json!([{"person": {"id": id, "name": "P"}, "character": {"id": id, "name": "C"}}]);
        mount(&server, &format!("/shows/{id}/cast"), response(&cast)).await;
    }
    server
}

/// Checks that show 2 is gone, and the others are not.
async fn check(env: &TestEnv) {
    let status = env.update().await;
    assert_eq!((status.state, &status.error), (RunState::Succeeded, &None));
    assert_eq!(status.shows_seen, 2);
    assert_eq!(status.casts_done, status.casts_total.unwrap().min(2));
    assert!(env.store.show(ShowId(2).into()).await.unwrap().is_none());
    let top = env.store.top_shows(10).await.unwrap();
    assert_eq!(top.iter().map(|show| show.id.0).collect::<Vec<_>>(), [1, 3]);
    for id in [1, 3] {
        assert_eq!(env.store.cast(ShowId(id)).await.unwrap().unwrap()[0].member.person_id, id);
    }
}

#[tokio::test]
async fn a_merged_show_that_left_the_map_is_gone() {
    let server = upstream(json!({"1": 10, "3": 10})).await;
    check(&TestEnv::new(&server.uri()).await).await;
}

#[tokio::test]
async fn a_merged_show_that_the_map_still_has_is_gone() {
    let server = upstream(json!({"1": 10, "2": 20, "3": 10})).await;
    check(&TestEnv::new(&server.uri()).await).await;
}

#[tokio::test]
async fn a_top_show_that_is_merged_before_its_cast_is_fetched_is_gone() {
    // Page and map agree on show 2, as caches may for an hour.
    let server = upstream(json!({"1": 10, "2": 10, "3": 10})).await;
    for env in [TestEnv::new(&server.uri()).await, TestEnv::on_disk(&server.uri()).await] {
        check(&env).await;
    }
}

#[tokio::test]
async fn a_published_show_that_is_merged_later_is_deleted() {
    let server = upstream(json!({"1": 10, "2": 10, "3": 10})).await;
    server.reset().await;
    let shows = [show(1, 10), show(2, 10), show(3, 10)];
    let page = Mock::given(path("/shows")).and(query_param("page", "0"));
    page.respond_with(response(&json!(shows))).mount(&server).await;
    mount(&server, "/updates/shows", response(&json!({"1": 10, "2": 10, "3": 10}))).await;
    for id in [1, 2, 3] {
        mount(&server, &format!("/shows/{id}/cast"), response(&json!([]))).await;
    }
    let env = TestEnv::on_disk(&server.uri()).await;
    assert_eq!(env.update().await.changes.added, 3);
    server.reset().await;
    mount(&server, "/updates/shows", response(&json!({"1": 10, "2": 20, "3": 10}))).await;
    redirect(&server, "/shows/2", "/shows/1").await;
    mount(&server, "/shows/1", response(&show(1, 10))).await;
    let status = env.update().await;
    assert_eq!((status.state, &status.error), (RunState::Succeeded, &None));
    assert_eq!((status.changes.deleted, status.changes.unchanged), (1, 2));
    assert!(env.store.show(ShowId(2).into()).await.unwrap().is_none());
}

#[tokio::test]
async fn a_missing_cast_of_a_show_that_exists_fails_the_run() {
    let server = upstream(json!({"1": 10, "2": 10, "3": 10})).await;
    let missing = Mock::given(path("/shows/3/cast")).respond_with(ResponseTemplate::new(404));
    missing.with_priority(1).mount(&server).await;
    let env = TestEnv::new(&server.uri()).await;
    let status = env.update().await;
    assert_eq!(status.state, RunState::Failed);
    let error = status.error.unwrap();
    assert!(
        error.contains("the cast of show 3 cannot be fetched") && error.contains("404"),
        "{error}"
    );
}
