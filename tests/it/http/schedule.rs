//! Episodes, schedules and the calendar of the shows that `DETAILS` chooses.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use tvshows_testkit::{Service, TestEnv, json_body};

/// A database with the details of the running shows.
pub(crate) async fn published() -> (TestEnv, Service) {
    let env = TestEnv::new(&[]).await;
    let update = env.tvshows(&["update", "--details", "status=Running"]).output().await.unwrap();
    assert!(update.status.success(), "{}", String::from_utf8_lossy(&update.stderr));
    let service = Service::start(&env, &[]).await;
    (env, service)
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// A day on which an episode airs.
async fn day(service: &Service, show: &Value) -> String {
    let episodes = service.json(&format!("/shows/{}/episodes", show["id"])).await;
    list(&episodes)[0]["airdate"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_schedule_has_the_episodes_of_its_days_with_their_shows() {
    let (env, service) = published().await;
    let running = service.json("/shows?status=Running&limit=5").await["shows"].clone();
    let mut seen = 0;
    for show in list(&running) {
        let episodes = service.json(&format!("/shows/{}/episodes", show["id"])).await;
        let upstream = format!("{}/shows/{}/episodes", env.simulator.base_url(), show["id"]);
        let upstream = json_body(reqwest::get(upstream).await.unwrap()).await;
        assert_eq!(episodes, upstream, "as TVmaze sent them");
        for episode in list(&episodes).iter().take(2) {
            let date = episode["airdate"].as_str().unwrap();
            let path = format!("/schedule?date={date}&id={}", show["id"]);
            let schedule = service.json(&path).await;
            let mut expected = episode.clone();
            expected["show"] = show.clone();
            assert!(list(&schedule).contains(&expected), "{path}");
            assert!(list(&schedule).iter().all(|episode| episode["airdate"] == *date), "{path}");
            seen += 1;
        }
    }
    assert!(seen > 0);
    let ended = service.json("/shows?status=Ended&limit=1").await["shows"][0]["id"].clone();
    let missing = service.get(&format!("/shows/{ended}/episodes")).send().await.unwrap();
    assert_eq!(missing.status(), 404);
    let problem = json_body(missing).await;
    assert_eq!(problem["code"], "episodes_not_found");
    assert!(problem["detail"].as_str().unwrap().contains("DETAILS="), "{problem}");
}

#[tokio::test]
async fn a_schedule_has_the_filters_of_lists() {
    let (_env, service) = published().await;
    let show = service.json("/shows?status=Running&country=US&limit=1").await["shows"][0].clone();
    let date = day(&service, &show).await;
    let all = service.json(&format!("/schedule?date={date}&days=31")).await;
    let american = service.json(&format!("/schedule?date={date}&days=31&country=us")).await;
    let in_america = |episode: &&Value| {
        let show = &episode["show"];
        let channel =
            if show["network"].is_null() { &show["webChannel"] } else { &show["network"] };
        channel["country"]["code"] == "US"
    };
    let expected: Vec<_> = list(&all).iter().filter(in_america).cloned().collect();
    assert!(!expected.is_empty() && expected.len() < list(&all).len());
    assert_eq!(list(&american), expected);
    for (query, status, parameter) in [
        ("days=32", 422, "days"),
        ("date=2026-13-01", 422, "date"),
        ("id=1,x", 422, "id"),
        ("min_rating=11", 422, "min_rating"),
        ("sort=id", 400, "sort"),
        ("days=1&days=2", 400, "days"),
        ("country=US&country=FR", 400, "country"),
    ] {
        let refused = service.get(&format!("/schedule?{query}")).send().await.unwrap();
        assert_eq!(refused.status(), status, "{query}");
        let problem = json_body(refused).await;
        assert!(problem["detail"].as_str().unwrap().contains(parameter), "{problem}");
    }
}

#[tokio::test]
async fn a_calendar_is_cached_like_other_data() {
    let (_env, service) = published().await;
    // The day of the request belongs to the tag, because a calendar is around it.
    let (tag, same, head) = on_one_day(async || {
        let calendar = service.get("/calendar.ics?country=US").send().await.unwrap();
        let tag = calendar.headers()["etag"].clone();
        let same = service.get("/calendar.ics?country=US").header("if-none-match", &tag);
        let same = same.send().await.unwrap().status();
        let head = service.head("/calendar.ics?country=US").send().await.unwrap();
        (tag, same, head.headers()["etag"].clone())
    })
    .await;
    assert_eq!((same.as_u16(), &head), (304, &tag));
    let stats = service.get("/shows/stats").send().await.unwrap();
    assert_ne!(stats.headers()["etag"], tag);
    let calendar = service.get("/calendar.ics?country=US").send().await.unwrap();
    assert_eq!(calendar.headers()["content-type"], "text/calendar; charset=utf-8");
    assert_eq!(calendar.headers()["cache-control"], "no-cache");
    let body = calendar.text().await.unwrap();
    assert!(body.starts_with("BEGIN:VCALENDAR\r\n") && body.ends_with("END:VCALENDAR\r\n"));
    assert!(body.contains("\r\nX-WR-CALNAME:TV schedule: country=US\r\n"), "{body}");
    let uids: Vec<_> = body.lines().filter(|line| line.starts_with("UID:")).collect();
    assert_eq!(uids.iter().collect::<BTreeSet<_>>().len(), uids.len());
}

/// Repeats requests during which the day in UTC has changed.
async fn on_one_day<T>(requests: impl AsyncFn() -> T) -> T {
    let today = || jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).date();
    loop {
        let day = today();
        let responses = requests().await;
        if today() == day {
            return responses;
        }
    }
}

#[tokio::test]
async fn a_stored_cast_without_people_is_empty_and_others_are_missing() {
    let (_env, service) = published().await;
    let running = service.json("/shows?status=Running&limit=1").await["shows"][0]["id"].clone();
    assert!(service.json(&format!("/shows/{running}/cast")).await.is_array());
    let ended = service.json("/shows?status=Ended&sort=rating&limit=1").await["shows"][0].clone();
    let missing = service.get(&format!("/shows/{}/cast", ended["id"])).send().await.unwrap();
    assert_eq!(json_body(missing).await["code"], json!("cast_not_found"));
}
