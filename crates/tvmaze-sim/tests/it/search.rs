//! Search, lookup, episodes and embedded objects.

use std::collections::HashSet;

use serde_json::Value;
use tvmaze_sim::{Dataset, SimConfig, Simulator};

use crate::support::{dataset, fetch, json, list, shows, simulator, status};

/// The show, followed to its episodes.
fn episodes(show: &Value) -> Vec<Value> {
    let id = show["id"].as_u64().and_then(|id| u32::try_from(id).ok()).expect("an id");
    list(dataset().episodes(id).expect("a show"))
}

fn link(show: &Value, name: &str) -> Option<String> {
    Some(show["_links"][name]["href"].as_str()?.rsplit('/').next()?.to_owned())
}

#[tokio::test]
async fn a_show_is_found_by_its_name() {
    let simulator = simulator(SimConfig::default()).await;
    let show = shows(&dataset()).swap_remove(7);
    let name = show["name"].as_str().expect("a name");
    let query = name.replace('&', "%26").to_uppercase().replace(' ', "+");
    let (_, found) = fetch(&simulator, &format!("/search/shows?q={query}")).await;
    assert_eq!(list(found)[0], serde_json::json!({"score": 1.0, "show": show}));
    let (_, found) = fetch(&simulator, &format!("/singlesearch/shows?q={query}")).await;
    assert_eq!(json(found), show);

    let (_, many) = fetch(&simulator, "/search/shows?q=the").await;
    assert_eq!(list(many).len(), 10);
    assert_eq!(fetch(&simulator, "/search/shows?q=nothing").await, (200, "[]".into()));
    assert_eq!(fetch(&simulator, "/search/shows?q=").await, (200, "[]".into()));
    assert_eq!(fetch(&simulator, "/singlesearch/shows?q=nothing").await, (404, "null".into()));
    assert_eq!(status(&simulator, "/search/shows").await, 400);
    assert_eq!(status(&simulator, "/singlesearch/shows?q=the&embed=weather").await, 400);
}

#[tokio::test]
async fn a_lookup_redirects_to_the_show_at_the_same_origin() {
    let simulator = simulator(SimConfig::default()).await;
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none());
    let http = http.tls_certs_only([]).build().expect("a client");
    let shows = shows(&dataset());
    for database in ["imdb", "thetvdb", "tvrage"] {
        let show = shows.iter().find(|show| !show["externals"][database].is_null());
        let show = show.expect(database);
        let id = show["externals"][database].to_string().replace('"', "");
        let url = format!("{}/lookup/shows?{database}={id}", simulator.base_url());
        let response = http.get(&url).send().await.expect("a response");
        assert_eq!(response.status(), 301);
        let expected = format!("{}/shows/{}", simulator.base_url(), show["id"]);
        assert_eq!(response.headers()["location"], expected);
        assert_eq!(response.text().await.expect("a body"), "null");
        let (_, followed) = fetch(&simulator, &format!("/lookup/shows?{database}={id}")).await;
        assert_eq!(&json(followed), show);
    }
    for missing in ["imdb=tt0", "thetvdb=1", "imdb=null", "thetvdb=null"] {
        let response = fetch(&simulator, &format!("/lookup/shows?{missing}")).await;
        assert_eq!(response.0, 404, "{missing}");
    }
    assert_eq!(status(&simulator, "/lookup/shows").await, 400);
}

#[test]
fn episodes_are_in_broadcast_order_and_end_with_the_linked_ones() {
    let mut with_next = 0;
    for show in shows(&dataset()) {
        let episodes = episodes(&show);
        let id = |episode: Option<&Value>| episode.map(|episode| episode["id"].to_string());
        assert_eq!(episodes.is_empty(), show["premiered"].is_null());
        let dates: Vec<&str> =
            episodes.iter().map(|episode| episode["airdate"].as_str().expect("a date")).collect();
        assert!(dates.is_sorted(), "{dates:?}");
        let ids: HashSet<String> =
            episodes.iter().map(|episode| episode["id"].to_string()).collect();
        assert_eq!(ids.len(), episodes.len());
        let Some(first) = episodes.first() else { continue };
        assert_eq!(first["airdate"], show["premiered"]);
        assert_eq!((&first["season"], &first["number"]), (&1.into(), &1.into()));
        let next = link(&show, "nextepisode");
        let previous = episodes.iter().rev().nth(usize::from(next.is_some()));
        assert_eq!(id(previous), link(&show, "previousepisode"));
        if next.is_some() {
            with_next += 1;
            assert_eq!(id(episodes.last()), next);
        }
    }
    assert!(with_next > 0);
}

#[tokio::test]
async fn a_show_has_what_is_embedded_in_it() {
    let simulator = simulator(SimConfig::default()).await;
    let shows = shows(&dataset());
    let show = shows.iter().find(|show| link(show, "nextepisode").is_some()).expect("a show");
    let path = format!("/shows/{}", show["id"]);
    let all = "embed[]=cast&embed[]=episodes&embed[]=nextepisode&embed[]=previousepisode";
    let mut body = json(fetch(&simulator, &format!("{path}?{all}")).await.1);
    let embedded =
        body.as_object_mut().and_then(|body| body.remove("_embedded")).expect("embedded");
    assert_eq!(&body, show);
    assert_eq!(embedded["cast"], json(fetch(&simulator, &format!("{path}/cast")).await.1));
    let episodes = episodes(show);
    let (next, previous) = (&episodes[episodes.len() - 1], &episodes[episodes.len() - 2]);
    assert_eq!((&embedded["nextepisode"], &embedded["previousepisode"]), (next, previous));
    assert_eq!(embedded["episodes"], Value::from(episodes.clone()));

    let without = shows.iter().find(|show| link(show, "nextepisode").is_none()).expect("a show");
    let path = format!("/shows/{}?embed=nextepisode", without["id"]);
    assert_eq!(&json(fetch(&simulator, &path).await.1), without);
}

#[tokio::test]
async fn search_follows_the_dataset() {
    let simulator = simulator(SimConfig::default()).await;
    let before = fetch(&simulator, "/search/shows?q=the").await;
    simulator.set_dataset(Dataset::synthetic(600, 2));
    assert_ne!(fetch(&simulator, "/search/shows?q=the").await, before);
    simulator.set_dataset(dataset());
    assert_eq!(fetch(&simulator, "/search/shows?q=the").await, before);
}

#[tokio::test]
async fn recorded_shows_are_found_unless_they_are_malformed() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let show = r#"{"id":1,"name":"Under the Dome","externals":{"imdb":"tt1553656"},"_links":{"nextepisode":{"href":"https://api.tvmaze.com/episodes/8"}}}"#;
    let odd =
        r#"{"id":2,"name":7}, {"id":3,"name":"Dome","externals":[]}, {"id":4,"name":"\ud83d"}"#;
    let page = format!("[{show}, {odd}]").replace("\"id\":", "\"updated\":5,\"id\":");
    write("pages/0.json", &page);
    write("episodes/1.json", r#"[{"id":7}, {"id":8,"name":"Pilot"}]"#);
    let dataset = Dataset::recorded(folder.path()).expect("a dataset");
    let simulator = Simulator::start("127.0.0.1:0", dataset, SimConfig::default()).await;
    let simulator = simulator.expect("a free port");
    let found = list(fetch(&simulator, "/search/shows?q=dome").await.1);
    let ids: Vec<&Value> = found.iter().map(|result| &result["show"]["id"]).collect();
    assert_eq!(ids, [3, 1]);
    let path = "/lookup/shows?imdb=tt1553656";
    assert_eq!(json(fetch(&simulator, path).await.1)["name"], "Under the Dome");
    let next = fetch(&simulator, "/singlesearch/shows?q=under&embed=nextepisode").await.1;
    assert_eq!(json(next)["_embedded"]["nextepisode"]["name"], "Pilot");
}
