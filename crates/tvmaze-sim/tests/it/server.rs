use std::io::Read;

use flate2::read::GzDecoder;
use reqwest::Method;
use reqwest::header::HeaderMap;
use tvmaze_sim::{Dataset, SimConfig};

use crate::support::{NOT_FOUND, dataset, fetch, get, json, plain_client, simulator, status};

fn header<'headers>(headers: &'headers HeaderMap, name: &str) -> Option<&'headers str> {
    headers.get(name).map(|value| value.to_str().expect("ASCII"))
}

#[tokio::test]
async fn serves_the_dataset() {
    let simulator = simulator(SimConfig::default()).await;
    let dataset = dataset();
    for (path, body) in [
        ("/shows?page=0", dataset.page(0)),
        ("/shows?page=2", dataset.page(2)),
        ("/shows", dataset.page(0)),
        ("/shows/1", dataset.show(1)),
        ("/shows/1/cast", dataset.cast(1)),
        ("/shows/1/episodes", dataset.episodes(1)),
        ("/shows/1/episodes?specials=1", dataset.episodes_and_specials(1)),
        ("/shows/1/seasons", dataset.seasons(1)),
        ("/updates/shows", Some(dataset.updates())),
    ] {
        let (status, text) = fetch(&simulator, path).await;
        assert_eq!((status, text.as_bytes()), (200, &*body.expect(path)), "{path}");
    }
    simulator.stop().await;
}

#[tokio::test]
async fn unknown_paths_are_tvmazes_404() {
    let simulator = simulator(SimConfig::default()).await;
    let hole = (1..600).find(|&id| dataset().show(id).is_none()).expect("a hole");
    for path in [
        "/",
        "/shows?page=3",
        "/shows?page=99999999999",
        "/shows/0",
        "/shows/one",
        "/shows/1/crew",
        "/people/1",
        &format!("/shows/{hole}"),
        &format!("/shows/{hole}/cast"),
        &format!("/shows/{hole}/episodes"),
    ] {
        assert_eq!(fetch(&simulator, path).await, (404, NOT_FOUND.to_owned()), "{path}");
    }
}

#[tokio::test]
async fn sends_tvmazes_headers_with_and_without_gzip() {
    let simulator = simulator(SimConfig::default()).await;
    for path in ["/shows?page=0", "/shows?page=9"] {
        let response = get(&simulator, path).await.expect(path);
        let headers = response.headers();
        assert_eq!(header(headers, "content-type"), Some("application/json; charset=UTF-8"));
        assert_eq!(header(headers, "cache-control"), Some("public, max-age=3600"));
        assert_eq!(header(headers, "access-control-allow-origin"), Some("*"));
        assert_eq!(header(headers, "content-encoding"), None);
        assert_eq!(header(headers, "vary"), None);
    }
}

#[tokio::test]
async fn gzips_the_same_body_for_clients_that_accept_it() {
    let simulator = simulator(SimConfig::default()).await;
    for path in ["/shows?page=1", "/shows/1", "/shows/1/cast", "/updates/shows"] {
        let (_, plain) = fetch(&simulator, path).await;
        let response = plain_client()
            .get(format!("{}{path}", simulator.base_url()))
            .header("accept-encoding", "deflate, gzip")
            .send()
            .await
            .expect(path);
        assert_eq!(header(response.headers(), "content-encoding"), Some("gzip"));
        assert_eq!(header(response.headers(), "vary"), Some("Accept-Encoding"));
        let body = response.bytes().await.expect(path);
        let mut unpacked = String::new();
        GzDecoder::new(&*body).read_to_string(&mut unpacked).expect("gzip");
        assert!(unpacked == plain, "{path} differs");
    }
}

#[tokio::test]
async fn since_counts_back_from_the_newest_change() {
    let simulator = tvmaze_sim::Simulator::start(
        "127.0.0.1:0",
        Dataset::synthetic(5_000, 1),
        SimConfig::default(),
    )
    .await
    .expect("a free port");
    let times = |text: String| -> Vec<u64> {
        let updates = json(text);
        let updates = updates.as_object().expect("an object");
        updates.values().map(|time| time.as_u64().expect("a time")).collect()
    };
    let all = times(fetch(&simulator, "/updates/shows").await.1);
    let newest = *all.iter().max().expect("a newest");
    for (since, days) in [("day", 1), ("week", 7), ("month", 30)] {
        let found = times(fetch(&simulator, &format!("/updates/shows?since={since}")).await.1);
        let earliest = newest - days * 86_400;
        let expected = all.iter().filter(|&&time| time >= earliest).count();
        assert!(found.iter().all(|&time| time >= earliest));
        assert_eq!(found.len(), expected);
        assert!(found.len() < all.len());
    }
}

#[tokio::test]
async fn another_method_is_not_allowed() {
    let simulator = simulator(SimConfig::default()).await;
    let url = format!("{}/shows/1", simulator.base_url());
    let response = plain_client().request(Method::POST, url).send().await.expect("a response");
    assert_eq!(response.status(), 405);
}

#[tokio::test]
async fn counts_every_request_by_its_path_and_query() {
    let simulator = simulator(SimConfig::default()).await;
    for path in ["/shows?page=0", "/shows?page=0", "/shows?page=9", "/nothing"] {
        status(&simulator, path).await;
    }
    assert_eq!(simulator.requests_for("/shows?page=0"), 2);
    assert_eq!(simulator.requests_for("/shows?page=9"), 1);
    assert_eq!(simulator.requests_for("/shows"), 0);
    assert_eq!(simulator.request_count(), 4);
    assert_eq!(simulator.rate_limited_count(), 0);
}

#[tokio::test]
async fn latency_delays_a_response_but_does_not_change_it() {
    let latency = std::time::Duration::from_millis(1);
    let simulator = simulator(SimConfig { latency, ..SimConfig::default() }).await;
    assert_eq!(status(&simulator, "/shows/1").await, 200);
}

#[tokio::test]
async fn the_dataset_changes_while_it_runs() {
    let simulator = simulator(SimConfig::default()).await;
    assert_eq!(status(&simulator, "/shows?page=3").await, 404);
    let newer = Dataset::synthetic(900, 1);
    simulator.set_dataset(newer.clone());
    let (status, page) = fetch(&simulator, "/shows?page=3").await;
    assert_eq!((status, page.as_bytes()), (200, &*newer.page(3).expect("page 3")));
}
