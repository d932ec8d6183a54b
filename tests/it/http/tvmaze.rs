//! `/tvmaze`: TVmaze's own routes, from the mirror.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use futures::TryStreamExt;
use jiff::civil::Date;
use reqwest::redirect::Policy;
use serde_json::{Value, json};
use tokio::process::Command;
use tvmaze_client::{Client, ExternalId, PageIndex, ShowId, embed};
use tvshows_testkit::{Service, TestEnv, json_body};

use crate::packages::installed;

/// The shows with details are those up to this id.
const LAST_DETAILED: u32 = 60;

/// A mirror with the details of some shows.
async fn mirror() -> (TestEnv, Service) {
    let env = TestEnv::new(&[]).await;
    let ids: Vec<_> = (1..=LAST_DETAILED).map(|id| id.to_string()).collect();
    let details = format!("id={}", ids.join(","));
    let update = env.tvshows(&["update", "--details", &details]).output().await.unwrap();
    assert!(update.status.success(), "{}", String::from_utf8_lossy(&update.stderr));
    let service = Service::start(&env, &[]).await;
    (env, service)
}

async fn upstream(env: &TestEnv, path: &str) -> Value {
    let url = format!("{}{path}", env.simulator.base_url());
    json_body(reqwest::get(url).await.unwrap()).await
}

/// The response to a path of TVmaze.
async fn mirrored(service: &Service, path: &str) -> Value {
    service.json(&format!("/tvmaze{path}")).await
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn is_detailed(show: &Value) -> bool {
    show["id"].as_u64().is_some_and(|id| id <= u64::from(LAST_DETAILED))
}

/// A show with details, a network, a summary, an id at IMDb, a cast, and a next and a previous episode.
async fn sample(env: &TestEnv) -> Value {
    for show in list(&upstream(env, "/shows?page=0").await).iter().filter(|show| is_detailed(show))
    {
        let links = &show["_links"];
        let is_complete = show["network"].is_object()
            && show["summary"].is_string()
            && show["externals"]["imdb"].is_string()
            && links["nextepisode"].is_object()
            && links["previousepisode"].is_object();
        let cast = upstream(env, &format!("/shows/{}/cast", show["id"])).await;
        if is_complete && !list(&cast).is_empty() {
            return show.clone();
        }
    }
    unreachable!("the data set has such a show")
}

#[tokio::test]
async fn stored_objects_are_those_that_tvmaze_sent() {
    let (env, service) = mirror().await;
    let id = sample(&env).await["id"].clone();
    let paths = [
        "/shows".to_owned(),
        "/shows?page=0&unknown=ignored".to_owned(),
        "/shows?page=9".to_owned(),
        "/updates/shows".to_owned(),
        format!("/shows/{id}"),
        format!("/shows/{id}?embed[]=episodes&embed[]=cast"),
        format!("/shows/{id}?embed%5B%5D=cast&embed%5B%5D=nextepisode"),
        format!("/shows/{id}?embed=nextepisode"),
        format!("/shows/{id}?embed=previousepisode"),
        format!("/shows/{id}/episodes"),
        format!("/shows/{id}/cast"),
        format!("/shows/{id}/episodebynumber?season=1&number=1"),
    ];
    let next = upstream(&env, &format!("/shows/{id}?embed=nextepisode")).await;
    let episode = &next["_embedded"]["nextepisode"]["id"];
    let single =
        ["", "?embed=show", "?embed[]=show&x"].map(|query| format!("/episodes/{episode}{query}"));
    for path in paths.iter().chain(&single) {
        let expected = upstream(&env, path).await;
        assert!(expected.get("status") != Some(&json!(404)), "{path}");
        assert!(mirrored(&service, path).await == expected, "{path}");
    }
    let all = mirrored(&service, &format!("/shows/{id}/episodes?specials=1")).await;
    assert_eq!(all, mirrored(&service, &format!("/shows/{id}/episodes")).await);

    let day = text(&list(&all)[0]["airdate"]).to_owned();
    let path = format!("/shows/{id}/episodesbydate?date={day}");
    let expected = regular(&upstream(&env, &path).await);
    assert_eq!(mirrored(&service, &path).await, expected);
}

#[tokio::test]
async fn keys_are_in_tvmazes_order() {
    let (env, service) = mirror().await;
    let id = sample(&env).await["id"].clone();
    let paths = [
        format!("/shows/{id}"),
        format!("/shows/{id}?embed=cast"),
        format!("/shows/{id}?embed=nextepisode"),
        format!("/shows/{id}/episodes"),
        format!("/shows/{id}/cast"),
        format!("/shows/{id}/episodebynumber?season=1&number=1"),
        "/shows?page=3".to_owned(),
        "/updates/shows".to_owned(),
    ];
    for path in paths {
        let url = format!("{}{path}", env.simulator.base_url());
        let expected = reqwest::get(url).await.unwrap().text().await.unwrap();
        let url = format!("/tvmaze{path}");
        let body = service.get(&url).send().await.unwrap().text().await.unwrap();
        assert!(body == expected, "{path}: {body}");
    }
}

/// Without specials, which the mirror does not have.
fn regular(episodes: &Value) -> Value {
    list(episodes).iter().filter(|episode| !episode["number"].is_null()).cloned().collect()
}

#[tokio::test]
async fn seasons_are_derived_and_have_ids_of_their_own() {
    let (env, service) = mirror().await;
    let id = sample(&env).await["id"].clone();
    let path = format!("/shows/{id}/seasons");
    let (real, derived) = (upstream(&env, &path).await, mirrored(&service, &path).await);
    let known = |season: &Value| ["number", "network", "webChannel"].map(|key| season[key].clone());
    assert!(list(&real).iter().map(known).eq(list(&derived).iter().map(known)), "{derived}");
    let embedded = mirrored(&service, &format!("/shows/{id}?embed=seasons")).await;
    assert_eq!(embedded["_embedded"]["seasons"], derived);

    let episodes = mirrored(&service, &format!("/shows/{id}/episodes")).await;
    for season in list(&derived) {
        let path = format!("/seasons/{}", season["id"]);
        assert_eq!(mirrored(&service, &path).await, *season);
        let of_season: Value = list(&episodes)
            .iter()
            .filter(|episode| episode["season"] == season["number"])
            .cloned()
            .collect();
        assert_eq!(mirrored(&service, &format!("{path}/episodes")).await, of_season);
        assert_eq!(season["episodeOrder"], list(&of_season).len());
    }
}

#[tokio::test]
async fn the_index_ends_like_tvmazes() {
    let (env, service) = mirror().await;
    for page in 0..12 {
        let path = format!("/shows?page={page}");
        let expected = reqwest::get(format!("{}{path}", env.simulator.base_url())).await.unwrap();
        let response = service.get(&format!("/tvmaze{path}")).send().await.unwrap();
        assert_eq!(response.status(), expected.status(), "{path}");
    }
}

#[tokio::test]
async fn searches_find_shows_by_name() {
    let (env, service) = mirror().await;
    let show = sample(&env).await;
    let name = text(&show["name"]);
    let query = |path: &str, q: &str| service.get(path).query(&[("q", q)]).send();
    let found = json_body(query("/tvmaze/search/shows", name).await.unwrap()).await;
    let scores: Vec<f64> =
        list(&found).iter().map(|found| found["score"].as_f64().unwrap()).collect();
    assert!((1..=10).contains(&scores.len()) && scores.is_sorted_by(|one, next| one > next));
    assert_eq!(found[0]["show"]["name"], name);
    let single = json_body(query("/tvmaze/singlesearch/shows", name).await.unwrap()).await;
    assert_eq!(single, found[0]["show"]);
    for nothing in ["no such show", "", " ", "%", "\"", "(&"] {
        let found = json_body(query("/tvmaze/search/shows", nothing).await.unwrap()).await;
        assert_eq!(found, json!([]), "{nothing:?}");
        let missing = query("/tvmaze/singlesearch/shows", nothing).await.unwrap();
        assert_eq!(missing.status(), 404, "{nothing:?}");
        assert_eq!(json_body(missing).await, Value::Null, "{nothing:?}");
    }
    // A word that is in summaries, and in no name.
    let in_summary = service.json("/shows?q=cameras&limit=1").await;
    assert!(in_summary["total"].as_u64() > Some(0), "{in_summary}");
    let in_name = mirrored(&service, "/search/shows?q=cameras").await;
    assert_eq!(in_name, json!([]), "summaries are not searched");
}

#[tokio::test]
async fn an_external_id_redirects_to_its_show() {
    let (env, service) = mirror().await;
    let show = sample(&env).await;
    let client = reqwest::Client::builder().redirect(Policy::none()).build().unwrap();
    let lookup = |query: String| {
        client.get(format!("{}/tvmaze/lookup/shows?{query}", service.base_url)).send()
    };
    let imdb = text(&show["externals"]["imdb"]);
    let response = lookup(format!("imdb={imdb}&x=1")).await.unwrap();
    assert_eq!(response.status(), 301);
    assert_eq!(response.headers()["location"], format!("../shows/{}", show["id"]), "relative");
    assert_eq!(json_body(response).await, Value::Null);
    for unknown in ["imdb=tt99999999", "imdb=x", "thetvdb=4294967295", "tvrage=-1"] {
        let response = lookup(unknown.to_owned()).await.unwrap();
        assert_eq!(response.status(), 404, "{unknown}");
        assert_eq!(json_body(response).await, Value::Null, "{unknown}");
    }
    assert_eq!(lookup("tmdb=1".to_owned()).await.unwrap().status(), 400);
}

#[tokio::test]
async fn updates_are_relative_to_the_publish() {
    let (env, service) = mirror().await;
    let all = mirrored(&service, "/updates/shows").await;
    let published_at: String = env
        .connection()
        .query_row("SELECT finished_at FROM Runs WHERE state = 'succeeded'", [], |row| row.get(0))
        .unwrap();
    let published_at: jiff::Timestamp = published_at.parse().unwrap();
    for (since, days) in [("day", 1), ("week", 7), ("month", 30)] {
        let recent = mirrored(&service, &format!("/updates/shows?since={since}")).await;
        let cutoff = published_at.as_second() - days * 24 * 60 * 60;
        // The run ended up to a few seconds after the publish.
        let is_close = |updated: i64| (updated - cutoff).abs() < 60;
        for (id, updated) in all.as_object().unwrap() {
            let updated = updated.as_i64().unwrap();
            let is_recent = updated >= cutoff;
            assert!(is_close(updated) || recent.get(id).is_some() == is_recent, "{since} {id}");
        }
    }
}

#[tokio::test]
async fn schedules_have_the_stored_episodes_of_their_day() {
    let (env, service) = mirror().await;
    let show = sample(&env).await;
    let next = upstream(&env, &format!("/shows/{}?embed=nextepisode", show["id"])).await;
    let day = text(&next["_embedded"]["nextepisode"]["airdate"]).to_owned();
    let country = text(&show["network"]["country"]["code"]);
    let expected = async |path: &str, pointer: &str| {
        let all = upstream(&env, path).await;
        let is_stored = |episode: &&Value| {
            !episode["number"].is_null() && episode.pointer(pointer).is_some_and(is_detailed)
        };
        list(&all).iter().filter(is_stored).cloned().collect::<Vec<_>>()
    };
    let ours = async |path: &str| list(&mirrored(&service, path).await).to_vec();
    let path = format!("/schedule?country={country}&date={day}");
    let broadcasts = ours(&path).await;
    assert!(!broadcasts.is_empty() && broadcasts == expected(&path, "/show").await, "{path}");
    let shows = upstream(&env, "/shows?page=0").await;
    let on_web = |show: &&Value| is_detailed(show) && show["webChannel"].is_object();
    let mut countries = BTreeSet::new();
    for show in list(&shows).iter().filter(on_web) {
        let episodes = mirrored(&service, &format!("/shows/{}/episodes", show["id"])).await;
        let day = text(&episodes[0]["airdate"]);
        let own = text(&show["webChannel"]["country"]["code"]);
        for country in [String::new(), format!("&country={own}")] {
            let path = format!("/schedule/web?date={day}{country}");
            let found = ours(&path).await;
            assert!(found == expected(&path, "/_embedded/show").await, "{path}");
            let is_of_show = |episode: &Value| episode["_embedded"]["show"]["id"] == show["id"];
            assert!(found.iter().any(is_of_show), "{path}");
        }
        let path = format!("/schedule/web?date={day}&country=ZZ");
        assert_eq!(mirrored(&service, &path).await, json!([]));
        countries.insert(own.to_owned());
    }
    assert!(countries.len() > 1 && countries.contains(""), "{countries:?}");
    assert_eq!(
        ours(&format!("/schedule?date={day}")).await,
        ours(&format!("/schedule?date={day}&country=us")).await
    );
}

#[tokio::test]
async fn the_full_schedule_has_all_stored_episodes_from_today_on() {
    let (env, service) = mirror().await;
    let database = env.connection();
    // So that some air after today, whenever the test runs.
    database.execute("UPDATE Episodes SET airdate = '2999-12-01' WHERE number = 1", []).unwrap();
    let stored: BTreeSet<u64> = database
        .prepare("SELECT id FROM Episodes WHERE airdate >= date('now', '+1 day')")
        .unwrap()
        .query_map([], |row| row.get(0))
        .unwrap()
        .map(Result::unwrap)
        .collect();
    assert!(!stored.is_empty());
    let full = mirrored(&service, "/schedule/full").await;
    let yesterday = jiff::Timestamp::now() - jiff::SignedDuration::from_hours(24);
    for episode in list(&full) {
        assert!(text(&episode["airdate"]) >= yesterday.to_string().split_at(10).0, "{episode}");
        assert!(episode["_embedded"]["show"]["id"].is_u64());
    }
    let sent: BTreeSet<u64> =
        list(&full).iter().map(|episode| episode["id"].as_u64().unwrap()).collect();
    assert!(stored.is_subset(&sent), "{:?}", stored.difference(&sent));
}

#[tokio::test]
async fn errors_have_tvmazes_form_and_say_what_is_missing() {
    let (env, service) = mirror().await;
    let id = sample(&env).await["id"].clone();
    let other = service.json("/shows?sort=-id&limit=1").await["shows"][0]["id"].clone();
    let episode = &mirrored(&service, &format!("/shows/{id}/episodes")).await[0]["id"];
    let cases = [
        (format!("/shows/{other}/episodes"), 404, "does not hold the episodes"),
        (format!("/shows/{other}/cast"), 404, "does not hold the cast"),
        (format!("/shows/{other}/seasons"), 404, "does not hold the episodes"),
        (format!("/shows/{other}?embed[]=cast"), 404, "does not hold the cast"),
        (format!("/shows/{id}?embed[]=episodes&embed[]=crew"), 404, "does not hold crews"),
        (format!("/shows/{id}?embed=akas"), 404, "does not hold alternative names"),
        (format!("/shows/{id}?embed=images"), 404, "does not hold lists of images"),
        (format!("/shows/{id}?embed=weather"), 400, "Invalid embed type \"weather\""),
        (format!("/shows/{id}/crew"), 404, "does not hold /shows/"),
        (format!("/shows/{id}/episodebynumber?season=999&number=1"), 404, "Unknown episode"),
        (format!("/shows/{id}/episodebynumber?season=1"), 400, "parameters: number"),
        (format!("/shows/{id}/episodebynumber?season=one&number=1"), 422, "`season`"),
        (format!("/shows/{id}/episodesbydate?date=1900-01-01"), 404, "No episodes"),
        (format!("/shows/{id}/episodesbydate"), 400, "parameters: date"),
        (format!("/shows/{id}/episodesbydate?date=1900-02-30"), 422, "`date`"),
        ("/shows/99999999".to_owned(), 404, "show 99999999 not found"),
        ("/shows/99999999/cast".to_owned(), 404, "show 99999999 not found"),
        ("/shows/0".to_owned(), 404, "show 0 not found"),
        ("/shows/x".to_owned(), 404, "does not hold /shows/x"),
        ("/shows/99999999999".to_owned(), 404, "does not hold"),
        ("/shows?page=9999".to_owned(), 404, "page 9999"),
        ("/shows?page=4294967295".to_owned(), 404, "page 4294967295"),
        ("/shows?page=x".to_owned(), 422, "`page`"),
        ("/seasons/1".to_owned(), 404, "does not hold season 1"),
        ("/seasons/1/episodes".to_owned(), 404, "does not hold season 1"),
        ("/search/shows".to_owned(), 400, "Missing required parameters: q"),
        (format!("/search/shows?q={}", "a".repeat(257)), 422, "`q`"),
        ("/schedule?country=USA".to_owned(), 422, "ISO country code"),
        ("/schedule?date=tomorrow".to_owned(), 422, "`date`"),
        ("/updates/shows?since=year".to_owned(), 422, "`since`"),
        ("/updates/people".to_owned(), 404, "does not hold /updates/people"),
        ("/people/1".to_owned(), 404, "does not hold /people/1"),
        ("/search/people?q=x".to_owned(), 404, "does not hold /search/people"),
        ("/episodes/1".to_owned(), 404, "does not hold episode 1"),
        ("/episodes/1?embed=show".to_owned(), 404, "does not hold episode 1"),
        (format!("/episodes/{episode}?embed[]=show&embed[]=guestcast"), 404, "hold guest casts"),
        (format!("/episodes/{episode}?embed=guestcrew"), 404, "hold guest crews"),
        (format!("/episodes/{episode}?embed=cast"), 400, "Invalid embed type \"cast\""),
        (format!("/episodes/{episode}/guestcast"), 404, "does not hold /episodes/"),
        ("/episodes/x".to_owned(), 404, "does not hold /episodes/x"),
        ("/%ff%00".to_owned(), 404, "does not hold"),
        ("/".to_owned(), 404, "does not hold /"),
        (String::new(), 404, "does not hold"),
    ];
    let requests = env.simulator.request_count();
    for (path, status, message) in &cases {
        let response = service.get(&format!("/tvmaze{path}")).send().await.unwrap();
        assert_eq!(response.status().as_u16(), *status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/json", "{path}");
        assert_eq!(response.headers()["access-control-allow-origin"], "*", "{path}");
        let error = json_body(response).await;
        let keys: Vec<_> = error.as_object().unwrap().keys().cloned().collect();
        assert_eq!(keys, ["code", "message", "name", "status"], "{path}");
        assert_eq!((&error["code"], &error["status"]), (&json!(0), &json!(status)), "{path}");
        assert!(text(&error["message"]).contains(message), "{path}: {error}");
    }
    let posted = service.post("/tvmaze/shows").send().await.unwrap();
    assert_eq!(
        (posted.status().as_u16(), &posted.headers()["allow"]),
        (405, &"GET, HEAD".parse().unwrap())
    );
    assert_eq!(env.simulator.request_count(), requests, "nothing is requested from TVmaze");
}

#[tokio::test]
async fn responses_can_be_revalidated_and_read_by_every_web_page() {
    let (env, service) = mirror().await;
    let show = format!("/shows/{}", sample(&env).await["id"]);
    // Without a date, the tag of a schedule changes at midnight.
    let schedule = "/schedule?date=2026-01-01";
    for path in ["/shows?page=0", "/updates/shows", &show, "/search/shows?q=a", schedule] {
        let path = format!("/tvmaze{path}");
        let response = service.get(&path).header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(response.status(), 200, "{path}");
        let headers = response.headers().clone();
        assert_eq!(headers["access-control-allow-origin"], "*", "{path}");
        assert_eq!(headers["cache-control"], "no-cache", "{path}");
        let tag = &headers["etag"];
        let same = service.get(&path).header("if-none-match", tag).send().await.unwrap();
        assert_eq!(same.status(), 304, "{path}");
        assert_eq!(same.headers()["access-control-allow-origin"], "*", "{path}");
        let head = service.head(&path).send().await.unwrap();
        assert_eq!((head.status().as_u16(), &head.headers()["etag"]), (200, tag), "{path}");
    }
    let tag = async |path: &str| {
        let response = service.get(path).send().await.unwrap();
        response.headers()["etag"].clone()
    };
    let days = ["2026-01-01", "2026-01-02"].map(|day| format!("/tvmaze/schedule?date={day}"));
    assert_ne!(tag(&days[0]).await, tag(&days[1]).await, "a default date changes at midnight");
}

#[tokio::test]
async fn a_large_page_is_compressed_for_clients_that_accept_it() {
    let (_env, service) = mirror().await;
    // A client that does not decompress responses.
    let client = reqwest::Client::builder().no_gzip().build().unwrap();
    let page = async |encoding: &str| {
        let request = client.get(format!("{}/tvmaze/shows?page=1", service.base_url));
        let response = request.header("accept-encoding", encoding).send().await.unwrap();
        let headers = response.headers();
        assert!(headers["vary"].to_str().unwrap().contains("accept-encoding"));
        let encoding = headers.get("content-encoding").cloned();
        let length = headers.get("content-length").map(|length| length.to_str().unwrap().parse());
        (encoding, length.transpose().unwrap(), response.bytes().await.unwrap())
    };
    let (encoding, length, plain) = page("identity").await;
    assert_eq!((encoding, length), (None, Some(plain.len())));
    assert!(plain.len() > 128 * 1024 && serde_json::from_slice::<Value>(&plain).is_ok());
    for accepted in ["gzip", "br"] {
        for _ in 0..2 {
            let (encoding, _, compressed) = page(accepted).await;
            assert_eq!(encoding.unwrap(), accepted);
            assert!(compressed.len() < plain.len() / 3, "{accepted}: {}", compressed.len());
        }
    }
}

#[tokio::test]
async fn this_workspaces_client_reads_the_mirror() {
    let (env, service) = mirror().await;
    let real = Client::builder().base_url(env.simulator.base_url()).build().unwrap();
    let client =
        Client::builder().base_url(format!("{}/tvmaze/", service.base_url)).build().unwrap();
    let show = sample(&env).await;
    let id = ShowId(u32::try_from(show["id"].as_u64().unwrap()).unwrap());

    assert_eq!(client.show(id).await.unwrap(), real.show(id).await.unwrap());
    let embeds = (embed::Episodes, embed::Cast, embed::NextEpisode, embed::PreviousEpisode);
    assert_eq!(
        client.show(id).embed(embeds).await.unwrap(),
        real.show(id).embed(embeds).await.unwrap()
    );
    assert_eq!(client.episodes(id).await.unwrap(), real.episodes(id).await.unwrap());
    assert_eq!(client.cast(id).await.unwrap(), real.cast(id).await.unwrap());
    let pages: Vec<_> = client.show_pages(PageIndex(0)).try_collect().await.unwrap();
    let real_pages: Vec<_> = real.show_pages(PageIndex(0)).try_collect().await.unwrap();
    assert!(pages == real_pages);
    let imdb = ExternalId::Imdb(text(&show["externals"]["imdb"]).to_owned());
    assert_eq!(client.lookup(&imdb).await.unwrap(), real.lookup(&imdb).await.unwrap());
    assert_eq!(client.lookup(&ExternalId::TvRage(u32::MAX)).await.unwrap(), None);
    let found = client.search_shows(text(&show["name"])).await.unwrap();
    assert_eq!(found[0].show.name, text(&show["name"]));
    assert_eq!(client.single_search("no such show").await.unwrap(), None);
    let numbers = |seasons: Vec<tvmaze_client::Season>| {
        seasons.into_iter().map(|season| season.number).collect::<Vec<_>>()
    };
    assert_eq!(
        numbers(client.seasons(id).await.unwrap()),
        numbers(real.seasons(id).await.unwrap())
    );
    let first = client.seasons(id).await.unwrap()[0].clone();
    assert!(!client.season_episodes(first.id).await.unwrap().is_empty());
    let sample = client_sample(&env).await;
    let day: Date = text(&sample["date"]).parse().unwrap();
    let schedule = client.schedule().country(text(&sample["country"])).date(day).await.unwrap();
    assert!(!schedule.is_empty());
    client.web_schedule().global().date(day).await.unwrap();
    client.full_schedule().await.unwrap();
    assert!(client.person(tvmaze_client::PersonId(1)).await.unwrap_err().is_not_found());
    assert!(client.crew(id).await.unwrap_err().is_not_found());
}

/// What the tests of other clients ask for.
async fn client_sample(env: &TestEnv) -> Value {
    let show = sample(env).await;
    let next = upstream(env, &format!("/shows/{}?embed=nextepisode", show["id"])).await;
    let episode = &next["_embedded"]["nextepisode"];
    json!({
        "id": show["id"], "name": show["name"], "imdb": show["externals"]["imdb"],
        "country": show["network"]["country"]["code"], "episode": episode["id"],
        "season": episode["season"], "number": episode["number"], "date": episode["airdate"],
    })
}

/// Runs a client against the upstream and against the mirror: both must show it the same.
async fn compare(program: &Path, arguments: &[&Path]) {
    let (env, service) = mirror().await;
    let sample = client_sample(&env).await.to_string();
    let run = async |base_url: &str| {
        let mut command = Command::new(program);
        command.args(arguments).args([base_url, &sample]).env("NO_PROXY", "*");
        let output = command.output().await.unwrap();
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{command:?}: {error}");
        serde_json::from_slice::<Value>(&output.stdout).unwrap()
    };
    let expected = run(&env.simulator.base_url()).await;
    let requests = env.simulator.request_count();
    let actual = run(&format!("{}/tvmaze", service.base_url)).await;
    assert_eq!(env.simulator.request_count(), requests, "TVmaze is not asked");
    for (call, expected) in expected.as_object().unwrap() {
        assert!(actual[call] == *expected, "{call}: {} instead of {expected}", actual[call]);
    }
}

fn scripts() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/clients")
}

#[tokio::test]
async fn the_clients_from_pypi_see_no_difference() {
    let test = "the_clients_from_pypi_see_no_difference";
    let Some(python) = installed(test, "python/bin/python") else { return };
    for script in ["python_tvmaze.py", "pytvmaze_client.py"] {
        compare(&python, &[&scripts().join(script)]).await;
    }
}

#[tokio::test]
async fn the_clients_from_npm_see_no_difference() {
    let test = "the_clients_from_npm_see_no_difference";
    let Some(packages) = installed(test, "node/node_modules") else { return };
    let folder = packages.parent().unwrap();
    compare(Path::new("node"), &[&scripts().join("node_clients.cjs"), folder]).await;
}
