//! Shows and casts with values of unexpected types, as `externals: []` from PHP.

use serde_json::{Value, json};
use tvshows_core::{RunState, ShowId};
use wiremock::matchers::{path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::harness::TestEnv;

/// An English Action show with all keys.
fn show(id: u32, fields: &Value) -> Value {
    let mut show = json!({
        "id": id, "url": format!("https://www.tvmaze.com/shows/{id}/x"), "name": format!("Show {id}"),
        "type": "Scripted", "language": "English", "genres": ["Action"], "status": "Running", "runtime": 60,
        "averageRuntime": 60, "premiered": "2024-01-01", "ended": null, "officialSite": null,
        "schedule": {"time": "21:00", "days": ["Monday"]}, "rating": {"average": 8}, "weight": 50,
        "network": null, "webChannel": null, "dvdCountry": null,
        "externals": {"tvrage": null, "thetvdb": null, "imdb": null}, "image": null,
        "summary": "<p>x</p>", "updated": 10,
        "_links": {"self": {"href": format!("https://api.tvmaze.com/shows/{id}")}},
    });
    let fields = fields.as_object().unwrap().clone();
    show.as_object_mut().unwrap().extend(fields);
    show
}

/// What a text becomes that has no lone surrogate in JSON, but stands for one here.
const LONE_SURROGATE: &str = "LONE SURROGATE";

fn response(body: &Value) -> ResponseTemplate {
    let body = body.to_string().replace(LONE_SURROGATE, r"\ud83d");
    ResponseTemplate::new(200).set_body_raw(body, "application/json")
}

fn without_surrogates(show: &Value) -> Value {
    serde_json::from_str(&show.to_string().replace(LONE_SURROGATE, "\u{fffd}")).unwrap()
}

async fn mount(server: &MockServer, at: &str, response: ResponseTemplate) {
    Mock::given(path(at)).respond_with(response).mount(server).await;
}

/// A TVmaze with one index page, these shows at `/shows/{id}` as well, and an empty cast for each.
async fn upstream(shows: &[Value]) -> MockServer {
    let server = MockServer::start().await;
    let page = Mock::given(path("/shows")).and(query_param("page", "0"));
    page.respond_with(response(&shows.into())).mount(&server).await;
    let updates = shows.iter().map(|show| (show["id"].to_string(), json!(10)));
    mount(&server, "/updates/shows", response(&updates.collect())).await;
    for show in shows {
        let id = &show["id"];
        mount(&server, &format!("/shows/{id}"), response(show)).await;
        mount(&server, &format!("/shows/{id}/cast"), response(&json!([]))).await;
    }
    server
}

async fn stored(env: &TestEnv, id: u32) -> Option<Value> {
    let show = env.store.show(ShowId(id).into()).await.unwrap();
    show.map(|show| serde_json::to_value(show).unwrap())
}

#[tokio::test]
async fn only_the_id_of_a_show_must_be_right() {
    let shows = [
        show(1, &json!({"name": "1992"})),
        show(2, &json!({"name": "evil \u{1b}[31m \u{1b}]0;t\u{7}", "premiered": "0000-00-00"})),
        show(3, &json!({"externals": []})),
        show(4, &json!({"genres": "Drama"})),
        show(5, &json!({"rating": "8"})),
        show(6, &json!({"schedule": [], "name": 1992})),
        show(
            7,
            &json!({"summary": format!("a {LONE_SURROGATE} broken"), "_embedded": {"x": [1.5]}}),
        ),
        show(8, &json!({"updated": "now"})),
        show(9, &json!({"weight": "heavy", "runtime": "60", "network": {"id": "2", "name": 5}})),
        show(10, &json!({"image": [], "_links": [], "network": [], "language": 5})),
    ];
    let server = upstream(&shows).await;
    for env in [TestEnv::new(&server.uri()).await, TestEnv::on_disk(&server.uri()).await] {
        let status = env.update().await;
        assert_eq!((status.state, &status.error), (RunState::Succeeded, &None));
        assert_eq!((status.shows_seen, status.malformed_shows), (10, 8));
        let history = env.store.get(status.request_id).await.unwrap().unwrap();
        assert_eq!(history.malformed_shows, 8);
        for show in &shows {
            let id = u32::try_from(show["id"].as_u64().unwrap()).unwrap();
            assert_eq!(stored(&env, id).await.unwrap(), without_surrogates(show));
        }
        let odd = env.store.show(ShowId(4).into()).await.unwrap().unwrap();
        assert!(odd.genres.is_empty() && odd.extra["genres"] == "Drama");
        let unrated = env.store.show(ShowId(5).into()).await.unwrap().unwrap();
        assert_eq!((unrated.rating_average, &unrated.extra["rating"]), (None, &json!("8")));
        let nameless = env.store.show(ShowId(6).into()).await.unwrap().unwrap();
        assert_eq!((nameless.name.as_str(), nameless.schedule), ("", None));
        let top: Vec<u32> =
            env.store.top_shows(10).await.unwrap().iter().map(|show| show.id.0).collect();
        assert_eq!(top, [1, 3, 6, 7, 8, 9, 5], "without a year, a genre or a language, no rank");
        env.store.stats().await.unwrap();
        // The refetch of the show without a change time is not another malformed show.
        let second = env.update().await;
        assert_eq!((second.state, second.changes.unchanged), (RunState::Succeeded, 10));
        assert_eq!((second.singles_done, second.malformed_shows), (1, 1));
    }
}

#[tokio::test]
async fn a_show_without_an_id_fails_the_run_and_the_page_is_named() {
    for id in [json!(null), json!("3"), json!(1.5)] {
        let shows = [show(1, &json!({})), show(2, &json!({"id": id, "genres": "Drama"}))];
        let server = upstream(&shows[..1]).await;
        server.reset().await;
        // Only the first page: the error must not depend on which page arrives first.
        let page = Mock::given(path("/shows")).and(query_param("page", "0"));
        page.respond_with(response(&json!(shows))).mount(&server).await;
        let env = TestEnv::new(&server.uri()).await;
        let error = env.update().await.error.unwrap();
        let expected =
            "index page 0 cannot be fetched: cannot decode `[1].id` in the response from ";
        assert!(error.starts_with(expected), "{error}");
    }
}

#[tokio::test]
async fn only_the_ids_of_a_cast_must_be_right() {
    let server = upstream(&[show(1, &json!({"rating": "8"})), show(2, &json!({}))]).await;
    server.reset().await;
    let page = Mock::given(path("/shows")).and(query_param("page", "0"));
    let shows = json!([show(1, &json!({"rating": "8"})), show(2, &json!({}))]);
    page.respond_with(response(&shows)).mount(&server).await;
    mount(&server, "/updates/shows", response(&json!({"1": 10, "2": 10}))).await;
    let cast = json!([
        {"person": {"id": 1, "name": "A", "birthday": 1979, "country": []},
            "character": {"id": 2, "name": 3, "image": "x.jpg"}, "self": "no", "voice": false},
        {"person": {"id": 4, "name": LONE_SURROGATE}, "character": {"id": 5, "name": "C"}},
    ]);
    mount(&server, "/shows/1/cast", response(&cast)).await;
    mount(&server, "/shows/2/cast", response(&cast)).await;
    let env = TestEnv::on_disk(&server.uri()).await;
    let status = env.update().await;
    assert_eq!((status.state, status.malformed_shows), (RunState::Succeeded, 2));
    let cast = env.store.cast(ShowId(1)).await.unwrap().unwrap();
    let names: Vec<_> = cast
        .iter()
        .map(|row| &row.member)
        .map(|row| (row.person_id, row.person_name.as_str(), row.character_name.as_str()))
        .collect();
    assert_eq!(names, [(1, "A", ""), (4, "\u{fffd}", "C")]);
    assert_eq!((&cast[0].member.person_birthday, cast[0].member.plays_self), (&None, None));
    assert_eq!((&cast[0].member.image, cast[0].member.voice), (&None, Some(false)));

    server.reset().await;
    let page = Mock::given(path("/shows")).and(query_param("page", "0"));
    page.respond_with(response(&shows)).mount(&server).await;
    let nobody = json!([{"person": {"name": "A"}, "character": {"id": 2, "name": "B"}}]);
    mount(&server, "/shows/1/cast", response(&nobody)).await;
    mount(&server, "/shows/2/cast", response(&json!([]))).await;
    let env = TestEnv::new(&server.uri()).await;
    let error = env.update().await.error.unwrap();
    assert!(error.contains("the cast of show 1 cannot be fetched"), "{error}");
    assert!(error.contains("`[0]` in ") && error.contains("`person.id` is missing"), "{error}");
}

#[tokio::test]
async fn a_single_show_may_be_malformed_too() {
    let server = upstream(&[show(1, &json!({})), show(2, &json!({}))]).await;
    let env = TestEnv::new(&server.uri()).await;
    assert_eq!(env.update().await.malformed_shows, 0);
    server.reset().await;
    let odd = show(2, &json!({"summary": LONE_SURROGATE, "runtime": [], "updated": 20}));
    mount(&server, "/updates/shows", response(&json!({"1": 10, "2": 20}))).await;
    mount(&server, "/shows/2", response(&odd)).await;
    mount(&server, "/shows/2/cast", response(&json!([]))).await;
    let status = env.update().await;
    assert_eq!((status.state, &status.error), (RunState::Succeeded, &None));
    assert_eq!((status.changes.changed, status.malformed_shows), (1, 1));
    assert_eq!(stored(&env, 2).await.unwrap(), without_surrogates(&odd));
}

#[tokio::test]
async fn a_byte_order_mark_is_no_fault() {
    let server = upstream(&[show(1, &json!({}))]).await;
    server.reset().await;
    let marked = |body: Value| {
        ResponseTemplate::new(200).set_body_raw(format!("\u{feff}{body}"), "application/json")
    };
    let page = Mock::given(path("/shows")).and(query_param("page", "0"));
    page.respond_with(marked(json!([show(1, &json!({}))]))).mount(&server).await;
    mount(&server, "/updates/shows", marked(json!({"1": 10}))).await;
    mount(&server, "/shows/1/cast", marked(json!([]))).await;
    let env = TestEnv::new(&server.uri()).await;
    let status = env.update().await;
    assert_eq!((status.state, status.shows_seen), (RunState::Succeeded, 1));
}
