//! `/pipeline/status/{request_id}/events`.

use serde_json::Value;
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv};

/// The id and the status of each event.
fn parse(text: &str) -> Vec<(u64, Value)> {
    let events = text.split("\n\n").filter(|event| event.starts_with("id: "));
    let parse = |event: &str| {
        let (id, data) = event.strip_prefix("id: ").unwrap().split_once("\ndata: ").unwrap();
        let body: Value = serde_json::from_str(data).unwrap();
        assert_eq!(body["signature"], id);
        (id.parse().unwrap(), body["status"].clone())
    };
    events.map(parse).collect()
}

#[tokio::test]
async fn a_stream_begins_with_the_present_state_and_ends_with_the_last() {
    let env = TestEnv::new(&["hang*1@/shows?page=5"]).await;
    let service = Service::start(&env, &[]).await;
    let run = service.submit("?mode=full").await;
    let path = format!("/pipeline/status/{run}/events");
    let stream = service.get(&path).header("accept-encoding", "gzip").send().await.unwrap();
    assert_eq!(stream.headers()["content-type"], "text/event-stream");
    let text = stream.text().await.unwrap();
    let (retry, _) = text.strip_prefix("retry: ").unwrap().split_once("\n\n").unwrap();
    assert!((2000..=4000).contains(&retry.parse::<u32>().unwrap()), "{retry}");
    let events = parse(&text);
    let (first, last) = (&events[0].1, &events.last().unwrap().1);
    assert!(first["progress"].as_u64() < Some(100), "{first}");
    assert_eq!((&last["state"], last["progress"].as_u64()), (&"succeeded".into(), Some(100)));
    assert!(events.is_sorted_by(|(one, _), (next, _)| one < next), "each revision once");
    let progress = |status: &Value| status["progress"].as_u64();
    assert!(events.is_sorted_by_key(|(_, status)| progress(status)));

    let (id, _) = events.last().unwrap();
    let known = service.get(&path).header("Last-Event-ID", id.to_string());
    assert_eq!(known.send().await.unwrap().status(), 204, "so that a browser stops asking");
    let older = service.get(&path).header("Last-Event-ID", (id - 1).to_string());
    let again = parse(&older.send().await.unwrap().text().await.unwrap());
    assert_eq!(again, [events.last().unwrap().clone()]);
}

#[tokio::test]
async fn a_stream_resumes_after_the_last_received_event() {
    let env = TestEnv::new(&[HANGING_PAGE]).await;
    let service = Service::start(&env, &[]).await;
    let run = service.submit("?mode=full").await;
    let status = service.wait_until(&run, |status| status["pages_done"] == 9).await;
    let path = format!("/pipeline/status/{run}/events");
    let known = status["revision"].to_string();
    let stream = service.get(&path).header("Last-Event-ID", &known).send().await.unwrap();
    service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    env.simulator.set_faults(&[]);
    let events = parse(&stream.text().await.unwrap());
    assert!(events.iter().all(|(id, _)| id.to_string() != known), "not what it knows");
    assert_eq!(events.last().unwrap().1["state"], "cancelled");
}

#[tokio::test]
async fn an_unknown_run_has_no_stream() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let path = "/pipeline/status/0190c5a8-0000-7000-8000-000000000000/events";
    let response = service.get(path).send().await.unwrap();
    assert_eq!(response.status(), 404);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
}
