//! Every replica responds alike.

use std::collections::BTreeSet;

use futures::future::join_all;
use serde_json::json;
use tvshows_testkit::{HANGING_PAGE, PgBouncer, PostgresServer, json_body};

use super::{Replicas, last_event, replica_metrics, top_shows, update, wait_for_copies};

#[tokio::test]
async fn a_hundred_posts_at_three_replicas_are_one_run_and_each_streams_its_end() {
    let replicas = Replicas::new(&[HANGING_PAGE]).await;
    let services = replicas.start_three().await;
    let posts = (0..100).map(|post| services[post % 3].post("/pipeline/update?mode=full").send());
    let mut runs = BTreeSet::new();
    for response in join_all(posts).await {
        let body = json_body(response.unwrap()).await;
        let run = body["request_id"].as_str().unwrap_or_else(|| panic!("{body}"));
        runs.insert(run.to_owned());
    }
    let run = runs.pop_first().unwrap();
    assert_eq!(runs, BTreeSet::new());

    let ends = join_all(services.iter().map(|service| last_event(service, &run)));
    let (ends, ()) = tokio::join!(ends, async {
        services[0].wait_until(&run, |status| status["pages_done"] == 9).await;
        replicas.env.simulator.set_faults(&[]);
    });
    for end in ends {
        assert_eq!(end["status"]["state"], "succeeded", "{end}");
        assert_eq!(end["status"]["attempt"], 1);
    }
    assert_eq!(replicas.env.simulator.requests_for("/shows?page=0"), 1);
    assert_eq!(replicas.run_states().await, ["succeeded"]);
    let expected = replicas.env.expected_content().await;
    wait_for_copies(&services.each_ref(), 10).await;
    for name in ["a", "b", "c"] {
        assert!(replicas.content(name) == expected, "{name}");
    }
    let metrics = services[0].get("/metrics").send().await.unwrap().text().await.unwrap();
    for name in replica_metrics() {
        assert!(metrics.contains(&format!("\ntvshows_replica_{name}")), "{name}");
    }
    let connections = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                       AND application_name = 'tvshows'";
    let connections: u32 = replicas.sql(connections).await.parse().unwrap();
    assert!((1..=12).contains(&connections), "{connections}");
}

#[tokio::test]
async fn after_an_update_has_succeeded_at_one_replica_each_has_the_new_snapshot() {
    let replicas = Replicas::new(&[]).await;
    let services = replicas.start_three().await;
    update(&services[0], 10).await;
    wait_for_copies(&services.each_ref(), 10).await;
    for top in 1..=9 {
        let (submitted_at, followed_at) = (&services[top % 3], &services[top / 3 % 3]);
        let run = submitted_at.submit(&format!("?top={top}")).await;
        assert_eq!(followed_at.wait_for_end(&run).await["state"], "succeeded");
        let seen = join_all(services.iter().map(top_shows)).await;
        // Nobody waits for a slow replica for longer than a second.
        let is_over = format!(
            "SELECT ended_at < clock_timestamp() - interval '1 s' FROM _runs WHERE request_id = '{run}'"
        );
        assert!(seen == [top; 3] || replicas.sql(&is_over).await == "t", "{top}: {seen:?}");
    }
}

#[tokio::test]
async fn an_update_that_changes_nothing_keeps_the_snapshot() {
    let replicas = Replicas::new(&[]).await;
    let services = replicas.start_three().await;
    update(&services[0], 10).await;
    wait_for_copies(&services.each_ref(), 10).await;
    let tag = async |index: usize| {
        let response = services[index].get("/shows/top_shows").send().await.unwrap();
        response.headers()["etag"].to_str().unwrap().to_owned()
    };
    let before = tag(1).await;
    let requests = replicas.env.simulator.request_count();
    let run = services[2].submit("").await;
    assert_eq!(services[0].wait_for_end(&run).await["state"], "succeeded");
    assert_eq!(replicas.env.simulator.request_count() - requests, 1);
    for index in 0..3 {
        assert_eq!(tag(index).await, before);
    }
    assert_eq!(replicas.snapshots().await, 1);
}

#[tokio::test]
async fn a_run_is_cancelled_at_any_replica() {
    let replicas = Replicas::new(&[]).await;
    let services = replicas.start_three().await;
    for service in &services {
        replicas.env.simulator.set_faults(&[HANGING_PAGE]);
        let run = services[0].submit_and_stall("?mode=full").await;
        let cancelled = service.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
        assert_eq!(cancelled.status(), 202);
        for each in &services {
            assert_eq!(each.wait_for_end(&run).await["state"], "cancelled");
        }
    }
    replicas.env.simulator.set_faults(&[]);
    assert_eq!(replicas.run_states().await, ["cancelled"; 3]);
    assert_eq!(replicas.snapshots().await, 0);
}

#[tokio::test]
async fn a_replica_without_updates_accepts_them_for_others() {
    let replicas = Replicas::new(&[]).await;
    let serving = replicas.start_serving("a").await;
    let run = serving.submit("").await;
    let status = serving.json(&format!("/pipeline/status/{run}")).await["status"].clone();
    assert_eq!(status["state"], json!("queued"));
    let _working = replicas.start("b").await;
    assert_eq!(serving.wait_for_end(&run).await["state"], "succeeded");
    wait_for_copies(&[&serving], 10).await;
}

#[tokio::test]
async fn everything_works_through_a_pooler_in_transaction_mode() {
    let server = PostgresServer::start().await;
    let replicas = Replicas::on(&server, &[HANGING_PAGE]).await;
    let pgbouncer = PgBouncer::start(&server).await;
    let port = pgbouncer.port;
    let a = replicas.start_through(port, "a").await;
    let b = replicas.start_through(port, "b").await;
    let run = a.submit_and_stall("?mode=full").await;
    let cancelled = b.post(&format!("/pipeline/cancel/{run}")).send().await.unwrap();
    assert_eq!(cancelled.status(), 202);
    assert_eq!(a.wait_for_end(&run).await["state"], "cancelled");
    replicas.env.simulator.set_faults(&[]);
    for top in [3, 4] {
        update(&b, top).await;
        wait_for_copies(&[&a, &b], top).await;
    }
    assert_eq!(replicas.run_states().await, ["cancelled", "succeeded", "succeeded"]);
}
