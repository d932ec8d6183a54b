//! The request that each method sends, and the result of its response.

use std::collections::BTreeMap;
use std::future::IntoFuture;
use std::io::{self, Write};
use std::sync::{Arc, Mutex};

use futures::TryStreamExt;
use jiff::Timestamp;
use jiff::civil::date;
use serde::Deserialize;
use serde_json::{Value, json};
use tracing_subscriber::fmt::format::FmtSpan;
use tvmaze_client::{
    AlternateListId, Client, EpisodeId, Error, ExternalId, PageIndex, PersonId, SeasonId, Show,
    ShowId, Since, embed,
};
use wiremock::matchers::{any, path, query_param};
use wiremock::{Mock, MockServer, ResponseTemplate};

use crate::upstream::{client, show};

/// Sends `request` to a server that returns `body`. Returns the path and query of the request, and its
/// result.
async fn sent<R: IntoFuture>(
    body: Value,
    request: impl FnOnce(&Client) -> R,
) -> (String, R::Output) {
    let server = MockServer::start().await;
    let response = ResponseTemplate::new(200).set_body_json(body);
    Mock::given(any()).respond_with(response).expect(1).mount(&server).await;
    let output = request(&client(&server.uri())).await;
    let requests = server.received_requests().await.unwrap();
    let query = requests[0].url.query().map(|query| format!("?{query}")).unwrap_or_default();
    (format!("{}{query}", requests[0].url.path()), output)
}

/// The result of `request` if the response is 404.
async fn missing<R: IntoFuture>(request: impl FnOnce(&Client) -> R) -> R::Output {
    let server = MockServer::start().await;
    request(&client(&server.uri())).await
}

fn episode(id: u32) -> Value {
    json!({"id": id, "url": "https://www.tvmaze.com/episodes/1/a", "name": "Pilot", "season": 1,
        "number": 1, "type": "regular", "airdate": "2013-06-24", "airtime": "22:00",
        "airstamp": "2013-06-25T02:00:00+00:00", "runtime": 60, "rating": {"average": 7.7},
        "image": null, "summary": "<p>A <b>dome</b> comes down.</p>",
        "_links": {"self": {"href": "https://api.tvmaze.com/episodes/1"}}})
}

fn person(id: u32) -> Value {
    json!({"id": id, "url": "https://www.tvmaze.com/people/1/x", "name": "X", "country": null,
        "birthday": "1979-07-17", "deathday": null, "gender": null, "image": null, "updated": 5,
        "_links": {"self": {"href": "https://api.tvmaze.com/people/1"}}})
}

#[tokio::test]
async fn lists_are_asked_for_at_their_paths() {
    macro_rules! sends {
        ($($request:expr => $url:literal),+ $(,)?) => {$(
            let (url, output) = sent(json!([]), $request).await;
            assert_eq!(url, $url);
            assert!(output.unwrap().is_empty(), "{}", $url);
        )+};
    }
    let (show, episode, person) = (ShowId(7), EpisodeId(8), PersonId(9));
    sends! {
        |c| c.episodes(show) => "/shows/7/episodes",
        |c| c.episodes_and_specials(show) => "/shows/7/episodes?specials=1",
        |c| c.seasons(show) => "/shows/7/seasons",
        |c| c.season_episodes(SeasonId(6)) => "/seasons/6/episodes",
        |c| c.cast(show) => "/shows/7/cast",
        |c| c.crew(show) => "/shows/7/crew",
        |c| c.akas(show) => "/shows/7/akas",
        |c| c.images(show) => "/shows/7/images",
        |c| c.alternate_lists(show) => "/shows/7/alternatelists",
        |c| c.alternate_episodes(AlternateListId(5)) => "/alternatelists/5/alternateepisodes",
        |c| c.guest_cast(episode) => "/episodes/8/guestcast",
        |c| c.guest_crew(episode) => "/episodes/8/guestcrew",
        |c| c.cast_credits(person) => "/people/9/castcredits",
        |c| c.crew_credits(person) => "/people/9/crewcredits",
        |c| c.guest_cast_credits(person) => "/people/9/guestcastcredits",
        |c| c.search_shows("a & b=c#d") => "/search/shows?q=a+%26+b%3Dc%23d",
        |c| c.search_people("Ólafur") => "/search/people?q=%C3%93lafur",
        Client::schedule => "/schedule",
        |c| c.schedule().country("GB").date(date(2026, 11, 2)) => "/schedule?country=GB&date=2026-11-02",
        |c| c.web_schedule().date(date(2026, 11, 2)) => "/schedule/web?date=2026-11-02",
        |c| c.web_schedule().country("GB") => "/schedule/web?country=GB",
        |c| c.web_schedule().global() => "/schedule/web?country=",
        Client::full_schedule => "/schedule/full",
    }
}

#[tokio::test]
async fn single_things_are_asked_for_at_their_paths() {
    let (url, output) = sent(show(7), |c| c.show(ShowId(7))).await;
    assert_eq!((url.as_str(), output.unwrap().id), ("/shows/7", ShowId(7)));
    let (url, output) = sent(episode(8), |c| c.episode(EpisodeId(8))).await;
    assert_eq!(url, "/episodes/8");
    assert_eq!(output.unwrap().airdate, Some(date(2013, 6, 24)));
    let (url, output) = sent(person(9), |c| c.person(PersonId(9))).await;
    assert_eq!(url, "/people/9");
    assert_eq!(output.unwrap().birthday, Some(date(1979, 7, 17)));
    let (url, output) = sent(json!({"id": 5}), |c| c.alternate_list(AlternateListId(5))).await;
    assert_eq!((url.as_str(), output.unwrap().id), ("/alternatelists/5", AlternateListId(5)));
}

#[tokio::test]
async fn what_may_not_be_there_is_an_option() {
    let (url, output) = sent(show(7), |c| c.single_search("dome")).await;
    assert_eq!(url, "/singlesearch/shows?q=dome");
    assert_eq!(output.unwrap().unwrap().id, ShowId(7));
    let (url, output) = sent(episode(8), |c| c.episode_by_number(ShowId(7), 1, 2)).await;
    assert_eq!(url, "/shows/7/episodebynumber?season=1&number=2");
    assert_eq!(output.unwrap().unwrap().id, EpisodeId(8));
    let day = date(2013, 7, 1);
    let (url, output) = sent(json!([episode(8)]), |c| c.episodes_by_date(ShowId(7), day)).await;
    assert_eq!(url, "/shows/7/episodesbydate?date=2013-07-01");
    assert_eq!(output.unwrap().unwrap().len(), 1);

    assert_eq!(missing(|c| c.single_search("dome")).await.unwrap(), None);
    assert_eq!(missing(|c| c.lookup(&ExternalId::TvRage(5))).await.unwrap(), None);
    assert_eq!(missing(|c| c.episode_by_number(ShowId(7), 1, 2)).await.unwrap(), None);
    assert_eq!(missing(|c| c.episodes_by_date(ShowId(7), day)).await.unwrap(), None);
    assert_eq!(missing(|c| c.people_page(PageIndex(7))).await.unwrap(), None);
    assert!(missing(|c| c.person(PersonId(9))).await.unwrap_err().is_not_found());
    assert!(missing(|c| c.episodes(ShowId(7))).await.unwrap_err().is_not_found());
}

#[tokio::test]
async fn a_lookup_follows_its_redirect() {
    let server = MockServer::start().await;
    let ids = [
        ("imdb", "tt1553656", ExternalId::Imdb("tt1553656".into())),
        ("thetvdb", "264492", ExternalId::TheTvdb(264_492)),
        ("tvrage", "25988", ExternalId::TvRage(25988)),
    ];
    let found = ResponseTemplate::new(200).set_body_json(show(1));
    Mock::given(path("/shows/1")).respond_with(found).mount(&server).await;
    for (name, value, id) in ids {
        let redirect = ResponseTemplate::new(301)
            .insert_header("location", "/shows/1")
            .set_body_json(Value::Null);
        let lookup = Mock::given(path("/lookup/shows")).and(query_param(name, value));
        lookup.respond_with(redirect).expect(1).mount(&server).await;
        let show = client(&server.uri()).lookup(&id).await.unwrap();
        assert_eq!(show.unwrap().id, ShowId(1), "{name}");
    }
}

#[tokio::test]
async fn a_merged_show_is_the_other_one_or_missing() {
    let server = MockServer::start().await;
    let redirect = |to: &str| ResponseTemplate::new(301).insert_header("location", to);
    Mock::given(path("/shows/2")).respond_with(redirect("/shows/1")).mount(&server).await;
    let found = ResponseTemplate::new(200).set_body_json(show(1));
    Mock::given(path("/shows/1")).respond_with(found).mount(&server).await;
    Mock::given(path("/shows/2/cast")).respond_with(redirect("/shows/1/cast")).mount(&server).await;
    let cast = ResponseTemplate::new(200).set_body_json(json!([]));
    Mock::given(path("/shows/1/cast")).respond_with(cast).mount(&server).await;
    let client = client(&server.uri());
    assert_eq!(client.show(ShowId(2)).await.unwrap().id, ShowId(1));
    assert_eq!(client.cast(ShowId(2)).await.unwrap(), []);
    let error = client.show(ShowId(2)).reject_moved().await.unwrap_err();
    assert!(error.is_not_found() && !error.is_transient(), "{error:?}");
    let text = error.to_string();
    assert!(text.contains("/shows/2 was redirected to ") && text.ends_with("/shows/1"), "{text}");
    assert!(client.cast(ShowId(2)).reject_moved().await.unwrap_err().is_not_found());
    let optional = client.show(ShowId(2)).decode_as::<Option<Show>>().reject_moved();
    assert_eq!(optional.await.unwrap(), None);
    assert_eq!(client.show(ShowId(1)).reject_moved().await.unwrap().id, ShowId(1));
}

#[tokio::test]
async fn a_redirect_that_keeps_the_id_is_followed() {
    let server = MockServer::start().await;
    for to in ["/mirror/shows/7", "/shows/7/", "/anything"] {
        server.reset().await;
        let redirect = ResponseTemplate::new(301).insert_header("location", to);
        Mock::given(path("/shows/7")).respond_with(redirect).mount(&server).await;
        let found = ResponseTemplate::new(200).set_body_json(show(7));
        Mock::given(path(to)).respond_with(found).mount(&server).await;
        let show = client(&server.uri()).show(ShowId(7)).reject_moved().await;
        assert_eq!(show.unwrap().id, ShowId(7), "{to}");
    }
}

#[tokio::test]
async fn what_was_asked_for_is_what_the_result_has() {
    let mut body = show(7);
    body["_embedded"] = json!({"nextepisode": episode(8)});
    let (url, output) = sent(body, |c| c.show(ShowId(7)).embed(embed::NextEpisode)).await;
    assert_eq!(url, "/shows/7?embed=nextepisode");
    let show_and_next = output.unwrap();
    assert_eq!(show_and_next.name, "A show");
    assert_eq!(show_and_next.embedded.unwrap().id, EpisodeId(8));

    let mut body = show(7);
    body["_embedded"] = json!({"episodes": [episode(1), episode(2)], "akas": []});
    let embeds = (embed::Episodes, embed::Akas);
    let (url, output) = sent(body, |c| c.single_search("dome").embed(embeds)).await;
    assert_eq!(url, "/singlesearch/shows?q=dome&embed%5B%5D=episodes&embed%5B%5D=akas");
    let (episodes, akas) = output.unwrap().unwrap().embedded;
    assert_eq!((episodes.len(), akas.len()), (2, 0));

    let credit = json!({"self": false, "voice": true, "_embedded": {"show": show(7)},
        "_links": {"show": {"href": "https://api.tvmaze.com/shows/7", "name": "A show"}}});
    let (url, output) =
        sent(json!([credit]), |c| c.cast_credits(PersonId(9)).embed(embed::Show)).await;
    assert_eq!(url, "/people/9/castcredits?embed=show");
    assert_eq!(output.unwrap()[0].embedded.id, ShowId(7));

    assert!(missing(|c| c.single_search("x").embed(embed::Cast)).await.unwrap().is_none());
}

/// What an application might decode a show with two embeds as.
#[derive(Debug, PartialEq, Deserialize)]
struct Details {
    id: u32,
    #[serde(rename = "_embedded")]
    embedded: BTreeMap<String, Vec<Value>>,
}

/// A show with this many episodes, each as long as one with a summary and an image, and an empty cast.
fn show_with_episodes(count: usize) -> Value {
    let mut long = episode(1);
    long["summary"] = "x".repeat(500).into();
    let mut body = show(7);
    body["_embedded"] = json!({"episodes": vec![long; count], "cast": []});
    body
}

#[tokio::test]
async fn embeds_can_be_decoded_as_another_type() {
    let embeds = (embed::Episodes, embed::Cast);
    let details = |client: &Client| {
        client.show(ShowId(7)).embed(embeds).decode_as::<Option<Details>>().reject_moved()
    };
    let (url, output) = sent(show_with_episodes(2), details).await;
    assert_eq!(url, "/shows/7?embed%5B%5D=episodes&embed%5B%5D=cast");
    let Details { id, embedded } = output.unwrap().unwrap();
    assert_eq!((id, embedded["episodes"].len(), embedded["cast"].len()), (7, 2, 0));
    assert_eq!(missing(details).await.unwrap(), None);

    let mut odd = show_with_episodes(1);
    odd["_embedded"]["cast"] = Value::Null;
    let recovered = |client: &Client| {
        details(client).recover_with(|body, error| {
            assert!(body.starts_with(b"{") && error.is_data());
            Ok(Some(Details { id: 7, embedded: BTreeMap::new() }))
        })
    };
    let (url, output) = sent(odd, recovered).await;
    assert_eq!(url, "/shows/7?embed%5B%5D=episodes&embed%5B%5D=cast");
    assert_eq!(output.unwrap().unwrap().embedded, BTreeMap::new());

    let server = MockServer::start().await;
    let merged = ResponseTemplate::new(301).insert_header("location", "/shows/8");
    Mock::given(path("/shows/7")).respond_with(merged).mount(&server).await;
    let other = ResponseTemplate::new(200).set_body_json(show(8));
    Mock::given(path("/shows/8")).respond_with(other).mount(&server).await;
    let moved = details(&client(&server.uri())).await;
    assert_eq!(moved.unwrap(), None, "even though the other show has nothing embedded");
}

#[tokio::test]
async fn embeds_count_towards_the_maximum_body_size() {
    let body = show_with_episodes(15_000);
    let size = body.to_string().len();
    assert!(size > 12_000_000, "{size}");
    let (_, output) = sent(body.clone(), |client| {
        client.show(ShowId(7)).embed((embed::Episodes, embed::Cast)).decode_as::<Details>()
    })
    .await;
    assert_eq!(output.unwrap().embedded["episodes"].len(), 15_000);

    let limited = |client: &Client| {
        let request = client.show(ShowId(7)).max_body_bytes(1_000_000);
        request.embed((embed::Episodes, embed::Cast)).decode_as::<Details>()
    };
    let error = sent(body, limited).await.1.unwrap_err();
    assert!(matches!(error, Error::TooLarge { limit: 1_000_000, .. }), "{error:?}");
    assert!(error.attempts() == 1 && !error.is_transient(), "{error:?}");
}

#[tokio::test]
async fn an_answer_without_what_was_asked_for_is_an_error() {
    let server = MockServer::start().await;
    let bare = ResponseTemplate::new(200).set_body_json(show(7));
    Mock::given(any()).respond_with(bare).mount(&server).await;
    let client = client(&server.uri());
    let error = client.show(ShowId(7)).embed(embed::Episodes).await.unwrap_err();
    assert!(matches!(error, tvmaze_client::Error::Decode { .. }), "{error:?}");
    let none = client.show(ShowId(7)).embed(embed::NextEpisode).await.unwrap();
    assert_eq!(none.embedded, None, "a show may have no next episode");
}

#[tokio::test]
async fn updates_are_moments_by_id() {
    let map = json!({"10": 1_700_000_000, "9": 6, "11": i64::MAX});
    let (url, output) = sent(map, |c| c.show_updates(None)).await;
    assert_eq!(url, "/updates/shows");
    let updates = output.unwrap();
    assert_eq!(updates[&ShowId(10)], "2023-11-14T22:13:20Z".parse::<Timestamp>().unwrap());
    let ids: Vec<ShowId> = updates.into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [ShowId(9), ShowId(10), ShowId(11)], "an absurd timestamp loses no entry");

    let (url, _) = sent(json!({}), |c| c.show_updates(Some(Since::Day))).await;
    assert_eq!(url, "/updates/shows?since=day");
    let (url, _) = sent(json!({}), |c| c.people_updates(Some(Since::Week))).await;
    assert_eq!(url, "/updates/people?since=week");
    let (url, output) = sent(json!({"9": 6}), |c| c.people_updates(Some(Since::Month))).await;
    assert_eq!(url, "/updates/people?since=month");
    assert!(output.unwrap().contains_key(&PersonId(9)));
}

#[tokio::test]
async fn the_index_of_people_ends_like_that_of_shows() {
    let server = MockServer::start().await;
    for page in 0..3 {
        let people = ResponseTemplate::new(200).set_body_json(json!([person(1000 * page + 1)]));
        let request = Mock::given(path("/people")).and(query_param("page", page.to_string()));
        request.respond_with(people).mount(&server).await;
    }
    let pages: Vec<_> =
        client(&server.uri()).people_pages(PageIndex(1)).try_collect().await.unwrap();
    let first: Vec<_> = pages.iter().map(|page| (page.index.0, page.people[0].id)).collect();
    assert_eq!(first, [(1, PersonId(1001)), (2, PersonId(2001))]);
}

/// Captured log output.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn each_attempt_has_a_span_and_every_byte_is_counted() {
    let server = MockServer::start().await;
    let busy = ResponseTemplate::new(503);
    Mock::given(any()).respond_with(busy).up_to_n_times(1).with_priority(1).mount(&server).await;
    let body = show(7).to_string();
    let response = ResponseTemplate::new(200).set_body_string(&body);
    Mock::given(any()).respond_with(response).mount(&server).await;
    let (log, client) = (Log::default(), client(&server.uri()));
    let writer = log.clone();
    let subscriber = tracing_subscriber::fmt()
        .json()
        .with_max_level(tracing::Level::DEBUG)
        .with_span_events(FmtSpan::CLOSE)
        .with_writer(move || writer.clone())
        .finish();
    let logging = tracing::subscriber::set_default(subscriber);
    client.show(ShowId(7)).await.unwrap();
    drop(logging);
    assert_eq!(client.stats().bytes, body.len() as u64);

    let lines = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines = lines.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let spans: Vec<Value> = lines
        .filter(|line| {
            line["target"] == "tvmaze_client::execute::attempt"
                && line["fields"]["message"] == "close"
        })
        .map(|line| line["span"].clone())
        .collect();
    let attempts: Vec<_> = spans.iter().map(|span| (&span["attempt"], &span["status"])).collect();
    assert_eq!(attempts, [(&json!(1), &json!(503)), (&json!(2), &json!(200))]);
    assert!(spans.iter().all(|span| span["url.path"] == "/shows/7"), "{spans:?}");
    assert!(spans.iter().all(|span| span["duration_ms"].is_u64()), "{spans:?}");
}
