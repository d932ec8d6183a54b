//! Replicas that are cut off from the database, and from it alone.

use serde_json::json;
use tvshows_testkit::{
    Direction, FaultProxy, HANGING_PAGE, ScriptedSimulator, Service, eventually,
};

use super::{Replicas, metric, read_all, top_shows, update, wait_for_copies};

/// Takes 30 s: the lock expires, and then the other replica is busy for longer than the holder waits for the page that hangs,
/// which it would request again.
#[tokio::test]
async fn a_replica_that_is_cut_off_stops_before_another_one_requests_anything() {
    tokio::join!(
        cut_off_holder(Direction::Both),
        cut_off_holder(Direction::Requests),
        cut_off_holder(Direction::Responses),
    );
}

async fn cut_off_holder(direction: Direction) {
    let replicas = Replicas::new(&[HANGING_PAGE]).await;
    let proxy = FaultProxy::start(replicas.server.port).await;
    let holder = replicas.start_through(proxy.port, "a").await;
    let run = holder.submit_and_stall("?mode=full").await;
    let upstream = ScriptedSimulator::start(&["hang*1@/shows?page=5"]).await;
    let mut command = replicas.command("b");
    command.env("TVMAZE_BASE_URL", upstream.base_url());
    let other = Service::spawn(command).await;

    proxy.block(direction);
    eventually(async || upstream.request_count() > 0).await;
    let requests = replicas.env.simulator.request_count();
    let status = other.wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&json!("succeeded"), &json!(2)));
    assert_eq!(upstream.requests_for("/shows?page=0"), 0, "what was staged is used");
    wait_for_copies(&[&other], 10).await;

    proxy.pass();
    // What was sent in the meantime arrives now.
    wait_for_copies(&[&holder], 10).await;
    assert_eq!(holder.wait_for_end(&run).await["instance"], status["instance"]);
    eventually(async || metric(&holder, "tvshows_run_in_progress").await == "0").await;
    assert_eq!(replicas.env.simulator.request_count(), requests, "{direction:?}");
    assert_eq!(replicas.run_states().await, ["succeeded"]);
    assert_eq!(replicas.snapshots().await, 1);
    assert!(replicas.content("a") == replicas.content("b"));
}

#[tokio::test]
async fn a_replica_that_is_cut_off_serves_its_copy_and_delays_nobody() {
    let replicas = Replicas::new(&[]).await;
    let proxy = FaultProxy::start(replicas.server.port).await;
    let services = [replicas.start_through(proxy.port, "a").await, replicas.start("b").await];
    update(&services[1], 3).await;
    wait_for_copies(&services.each_ref(), 3).await;
    proxy.block(Direction::Both);
    update(&services[1], 4).await;
    wait_for_copies(&[&services[1]], 4).await;
    assert_eq!(top_shows(&services[0]).await, 3);
    assert_eq!(read_all(&services).await, [200; 12]);
    eventually(async || services[0].json("/health/ready").await["status"] == "degraded").await;
    assert_eq!(metric(&services[0], "tvshows_replica_lag_snapshots").await, "0", "nobody can tell");
    proxy.pass();
    wait_for_copies(&services.each_ref(), 4).await;
    eventually(async || services[0].json("/health/ready").await["status"] == "ready").await;
}

#[tokio::test]
async fn a_copy_that_is_too_old_is_not_served() {
    let replicas = Replicas::new(&[]).await;
    let proxy = FaultProxy::start(replicas.server.port).await;
    let mut command = replicas.command("a");
    command.env("DATABASE_URL", replicas.url_through(proxy.port)).env("MAX_STALENESS", "2s");
    let service = Service::spawn(command).await;
    update(&service, 3).await;
    wait_for_copies(&[&service], 3).await;
    proxy.refuse();
    proxy.cut();
    let status = async || service.get("/shows/top_shows").send().await.unwrap().status();
    eventually(async || status().await == 503).await;
    proxy.pass();
    eventually(async || status().await == 200).await;
    assert_eq!(top_shows(&service).await, 3);
}

#[tokio::test]
async fn metrics_are_returned_while_postgresql_does_not_respond() {
    let replicas = Replicas::new(&[]).await;
    let proxy = FaultProxy::start(replicas.server.port).await;
    let log = replicas.env.path("log");
    let mut command = replicas.command("a");
    command.env("DATABASE_URL", replicas.url_through(proxy.port));
    let file = std::fs::File::create(&log).unwrap();
    let service = Service::spawn_with_log(command, file).await;
    update(&service, 3).await;
    // The run has succeeded before the service has let go of it.
    eventually(async || metric(&service, "tvshows_run_in_progress").await == "0").await;
    proxy.block(Direction::Both);
    assert_eq!(metric(&service, "tvshows_run_in_progress").await, "0");
    // It did not wait for the longer time limit of the store.
    let said = "cannot collect store metrics: the store does not respond";
    eventually(async || std::fs::read_to_string(&log).unwrap().contains(said)).await;
}
