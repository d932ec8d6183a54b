//! The index may be a day old and the updates map an hour; where they disagree about a show, its own page decides.

use serde_json::{Value, json};
use tvshows_core::{RunState, ShowId};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::TestEnv;

fn show(id: u32, updated: i64) -> Value {
    json!({"id": id, "name": format!("{id} at {updated}"), "updated": updated, "genres": []})
}

/// A TVmaze with these index pages, this updates map, and these shows at `/shows/{id}`.
async fn upstream(pages: &[Value], updates: Value, shows: &[Value]) -> MockServer {
    let server = MockServer::start().await;
    let answer = |body: &Value| ResponseTemplate::new(200).set_body_json(body);
    for (page, body) in pages.iter().enumerate() {
        let mock = Mock::given(path("/shows")).and(query_param("page", page.to_string()));
        mock.respond_with(answer(body)).mount(&server).await;
    }
    Mock::given(path("/updates/shows")).respond_with(answer(&updates)).mount(&server).await;
    for show in shows {
        let mock = Mock::given(path(format!("/shows/{}", show["id"])));
        mock.respond_with(answer(show)).expect(1).mount(&server).await;
    }
    server
}

async fn name(env: &TestEnv, id: u32) -> Option<String> {
    env.store.show(ShowId(id).into()).await.unwrap().map(|show| show.name)
}

#[tokio::test]
async fn a_show_that_is_older_than_the_map_says_is_fetched_by_itself() {
    let pages = [json!([show(1, 10), show(2, 10)])];
    let server = upstream(&pages, json!({"1": 10, "2": 20}), &[show(2, 20)]).await;
    let env = TestEnv::new(&server.uri()).await;
    let status = env.update().await;
    assert_eq!((status.state, status.shows_seen), (RunState::Succeeded, 2));
    assert_eq!((status.singles_done, status.singles_total), (1, Some(1)));
    assert_eq!(name(&env, 1).await.unwrap(), "1 at 10");
    assert_eq!(name(&env, 2).await.unwrap(), "2 at 20");
    assert_eq!(status.counts.requests, 1 + 2 + 1, "the map, the page, the end, the show");
}

#[tokio::test]
async fn a_new_show_on_a_page_that_is_not_there_yet_is_fetched_by_itself() {
    let pages = [json!([show(1, 10)])];
    let server = upstream(&pages, json!({"1": 10, "250": 20}), &[show(250, 20)]).await;
    let env = TestEnv::new(&server.uri()).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
    assert_eq!(name(&env, 250).await.unwrap(), "250 at 20");
}

#[tokio::test]
async fn a_show_that_left_the_map_is_gone_when_it_answers_404() {
    let pages = [json!([show(1, 10), show(2, 10), show(3, 10), show(4, 10)])];
    // 2 is gone, 3 is not (the map is wrong), 4 is newer than the map.
    let server = upstream(&pages, json!({"1": 10, "3": 10}), &[]).await;
    let env = TestEnv::new(&server.uri()).await;
    let status = env.update().await;
    assert_eq!((status.state, status.shows_seen), (RunState::Succeeded, 3));
    assert_eq!(name(&env, 2).await, None);
    assert!(name(&env, 4).await.is_some(), "later than the last show of the map");
}

#[tokio::test]
async fn pages_beyond_the_map_are_fetched_too() {
    let pages = [json!([show(1, 10)]), json!([]), json!([show(500, 10)])];
    let server = upstream(&pages, json!({"1": 10}), &[]).await;
    let env = TestEnv::new(&server.uri()).await;
    let status = env.update().await;
    assert_eq!((status.state, status.pages_done), (RunState::Succeeded, 3));
    assert!(name(&env, 500).await.is_some());
}

#[tokio::test]
async fn a_single_show_that_stays_broken_fails_the_run_and_is_named() {
    let pages = [json!([show(1, 10)])];
    let server = upstream(&pages, json!({"1": 20}), &[]).await;
    let broken = ResponseTemplate::new(500);
    Mock::given(path("/shows/1")).respond_with(broken).mount(&server).await;
    let env = TestEnv::new(&server.uri()).await;
    let error = env.update().await.error.unwrap();
    assert!(error.contains("show 1 cannot be fetched") && error.contains("3 attempts"), "{error}");
}

#[tokio::test]
async fn an_answer_about_another_show_fails_the_run() {
    let server = upstream(&[json!([show(1, 10)])], json!({"1": 10, "2": 10}), &[]).await;
    let other = ResponseTemplate::new(200).set_body_json(show(7, 10));
    Mock::given(path("/shows/2")).respond_with(other).mount(&server).await;
    let env = TestEnv::new(&server.uri()).await;
    let error = env.update().await.error.unwrap();
    assert!(error.contains("show 2 cannot be fetched: the response describes show 7"), "{error}");
}

#[tokio::test]
async fn an_index_without_an_end_fails_the_run() {
    let server = MockServer::start().await;
    let updates = ResponseTemplate::new(200).set_body_json(json!({"1": 10}));
    Mock::given(path("/updates/shows")).respond_with(updates).mount(&server).await;
    let page = ResponseTemplate::new(200).set_body_json(json!([show(1, 10)]));
    Mock::given(path("/shows")).respond_with(page).mount(&server).await;
    let env = TestEnv::new(&server.uri()).await;
    let status = env.update().await;
    assert!(status.error.unwrap().contains("more than 100 pages"));
    assert!(status.counts.requests < 110, "{}", status.counts.requests);
}

#[tokio::test]
async fn what_no_column_can_hold_survives() {
    let mut odd = show(1, 10);
    odd["genres"] = json!(["Sword, Sorcery", "", "Drama"]);
    odd["rating"] = json!({"average": 8.1, "votes": 5});
    odd["new"] = json!([{"a": null}]);
    let mut unrated = show(2, 10);
    unrated["rating"] = Value::Null;
    let server = upstream(&[json!([odd, unrated])], json!({"1": 10, "2": 10}), &[]).await;
    let env = TestEnv::new(&server.uri()).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
    for sent in [odd, unrated] {
        let id = ShowId(u32::try_from(sent["id"].as_u64().unwrap()).unwrap());
        let stored =
            serde_json::to_value(env.store.show(id.into()).await.unwrap().unwrap()).unwrap();
        for (key, value) in sent.as_object().unwrap() {
            assert_eq!(&stored[key], value, "{key}");
        }
    }
}
