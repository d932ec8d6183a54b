//! An update from a faulty upstream either publishes the expected content, or fails with a reason and changes nothing.

use serde_json::{Value, json};
use tvshows_testkit::TestEnv;
use wiremock::matchers::any;
use wiremock::{Mock, MockServer, Request, Respond, ResponseTemplate};

#[tokio::test]
async fn what_passes_is_retried_and_nothing_is_lost() {
    let env = TestEnv::new(&[]).await;
    let expected = env.expected_content().await;
    env.simulator.set_faults(&[
        "status:503*3@/shows?page=0",
        "status:500*1@/shows?page=1",
        "status:502*1@/shows?page=1",
        "reset*2@/shows?page=2",
        "cut*2@/shows?page=3",
        "malformed*2@/shows?page=4",
        "object*2@/shows?page=5",
        "hang*1@/shows?page=6",
        "status:429*3@/shows?page=7",
        "reset*1@/updates/shows",
    ]);
    let output = env.tvshows(&["update", "--mode", "full", "--json"]).output().await.unwrap();
    let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&outcome["retries"], &outcome["rate_limited"]), (&json!(18), &json!(3)));
    assert!(env.content() == expected);
}

#[tokio::test]
async fn a_storm_of_429_slows_down_and_loses_nothing() {
    let env = TestEnv::new(&[]).await;
    let expected = env.expected_content().await;
    env.simulator.set_limit("4/1s".parse().unwrap());
    assert!(env.update().await.status.success());
    assert!(env.simulator.rate_limited_count() > 0, "it was a storm");
    assert!(env.content() == expected);
}

/// A TVmaze with three shows on each of two pages, and with something wrong.
struct Odd {
    pages: fn(u32) -> Option<Value>,
    updates: Option<Value>,
}

fn show(id: u32, updated: u32) -> Value {
    json!({"id": id, "name": format!("{id} at {updated}"), "updated": updated, "genres": []})
}

fn correct(page: u32) -> Option<Value> {
    match page {
        0 => Some(json!([show(1, 10), show(2, 10), show(3, 10)])),
        1 => Some(json!([show(250, 10), show(251, 10), show(252, 10)])),
        _ => None,
    }
}

fn updates_map() -> Value {
    json!({"1": 10, "2": 10, "3": 10, "250": 10, "251": 10, "252": 10})
}

impl Respond for Odd {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let page = request.url.query().and_then(|query| query.strip_prefix("page=")?.parse().ok());
        let body = match (request.url.path(), page) {
            ("/updates/shows", _) => self.updates.clone(),
            ("/shows", Some(page)) => (self.pages)(page),
            (path, _) if path.ends_with("/cast") => Some(json!([])),
            (path, _) => {
                let id = path.strip_prefix("/shows/").and_then(|id| id.parse().ok());
                id.filter(|id| [1, 2, 3, 250, 251, 252].contains(id)).map(|id| show(id, 10))
            }
        };
        match body {
            Some(body) => ResponseTemplate::new(200).set_body_json(body),
            None => ResponseTemplate::new(404),
        }
    }
}

/// Runs an update from a correct upstream and then one from an odd one. Returns the error of the second; `None` if it
/// published.
async fn after(odd: Odd) -> Option<String> {
    let env = TestEnv::new(&[]).await;
    let update = async |odd: Odd, mode: &str| {
        let server = MockServer::start().await;
        Mock::given(any()).respond_with(odd).mount(&server).await;
        let arguments = ["update", "--mode", mode, "--base-url", &server.uri()];
        env.tvshows(&arguments).output().await.unwrap()
    };
    assert!(
        update(Odd { pages: correct, updates: Some(updates_map()) }, "full").await.status.success()
    );
    let (before, tables) = (env.content(), env.tables());
    let output = update(odd, "full").await;
    let error = String::from_utf8(output.stderr).unwrap();
    if output.status.success() {
        assert_eq!(env.content(), before, "the same shows, however they were listed");
        return None;
    }
    assert_eq!(output.status.code(), Some(1), "{error}");
    assert!(env.tables() == tables);
    assert_eq!(env.run_states(), ["succeeded", "failed"]);
    Some(error.lines().last().unwrap().to_owned())
}

#[tokio::test]
async fn a_show_on_two_pages_is_one_show() {
    let twice = |page| match page {
        0 => Some(json!([show(1, 10), show(2, 10), show(3, 10), show(250, 9)])),
        page => correct(page),
    };
    assert_eq!(after(Odd { pages: twice, updates: Some(updates_map()) }).await, None);
    let error = after(Odd { pages: twice, updates: None }).await.unwrap();
    assert!(
        error.contains("index page 0 contains show 250, which belongs on another page"),
        "{error}"
    );
}

#[tokio::test]
async fn a_page_in_the_place_of_another_loses_no_show() {
    let wrong = |page| correct(if page == 1 { 0 } else { page });
    assert_eq!(
        after(Odd { pages: wrong, updates: Some(updates_map()) }).await,
        None,
        "fetched one by one"
    );
    let error = after(Odd { pages: wrong, updates: None }).await.unwrap();
    assert!(
        error.contains("index page 1 contains show 1, which belongs on another page"),
        "{error}"
    );
}

#[tokio::test]
async fn an_index_without_an_end_is_given_up() {
    let endless = |page| correct(page).or_else(|| Some(json!([show(250 * page, 10)])));
    let error = after(Odd { pages: endless, updates: Some(updates_map()) }).await.unwrap();
    assert!(error.contains("the index has more than 101 pages"), "{error}");
}

#[tokio::test]
async fn a_404_in_the_middle_is_not_the_end() {
    let hole = |page| if page == 0 { None } else { correct(page) };
    let error = after(Odd { pages: hole, updates: Some(updates_map()) }).await.unwrap();
    assert!(error.contains("index page 0 returned 404, although page 1 exists"), "{error}");
    let short = |page| if page == 0 { correct(0) } else { None };
    let error = after(Odd { pages: short, updates: None }).await.unwrap();
    assert!(error.contains("index page 1 returned 404, although the last snapshot"), "{error}");
}

#[tokio::test]
async fn a_map_that_disagrees_with_the_index_is_settled_show_by_show() {
    let newer = json!({"1": 10, "2": 99, "250": 10, "251": 10, "252": 10, "300": 5});
    assert_eq!(after(Odd { pages: correct, updates: Some(newer) }).await, None);
    let nonsense = json!({"1": 10, "999999": 5});
    assert_eq!(after(Odd { pages: correct, updates: Some(nonsense) }).await, None, "not used");
}

#[tokio::test]
async fn a_clock_that_was_off_by_a_year_costs_requests_and_not_the_truth() {
    for shift in ["-1 year", "+1 year"] {
        let env = TestEnv::new(&[]).await;
        assert!(env.update().await.status.success());
        let before = env.content();
        let file = env.connection();
        let moved = |column: &str| {
            format!("{column} = strftime('%Y-%m-%dT%H:%M:%SZ', {column}, '{shift}')")
        };
        file.execute_batch(&format!(
            "UPDATE All_Shows SET {0}; UPDATE Top_Shows SET {0}; UPDATE _Index_Pages SET {1};
             UPDATE Runs SET {2}, {3}, {4};",
            moved("processed_at"),
            moved("fetched_at"),
            moved("started_at"),
            moved("updated_at"),
            moved("finished_at"),
        ))
        .unwrap();
        drop(file);
        let output = env.tvshows(&["update", "--json"]).output().await.unwrap();
        let outcome: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(outcome["unchanged"], 2300, "{shift}: {outcome}");
        assert!(env.content() == before, "{shift}");
    }
}
