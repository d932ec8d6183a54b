//! PostgreSQL and Redis that fail and return.

use tvshows_testkit::{
    CommitFault, FaultProxy, HANGING_PAGE, PostgresServer, RedisServer, Service, eventually,
};

use super::{Replicas, metric, read_all, update, wait_for_copies};

#[tokio::test]
async fn reads_continue_while_postgresql_and_redis_are_stopped() {
    let server = PostgresServer::start().await;
    let redis = RedisServer::start().await;
    let replicas = Replicas::on(&server, &[]).await;
    let start = async |name: &str| {
        let mut command = replicas.command(name);
        command.env("REDIS_URL", redis.url());
        Service::spawn(command).await
    };
    let services = [start("a").await, start("b").await, start("c").await];
    update(&services[0], 5).await;
    wait_for_copies(&services.each_ref(), 5).await;
    server.stop().await;
    redis.cli(&["SHUTDOWN"]).await;
    for service in &services {
        eventually(async || service.json("/health/ready").await["status"] == "degraded").await;
        let ready = service.get("/health/ready").send().await.unwrap();
        assert_eq!(ready.status(), 200);
        assert_eq!(service.get("/health/live").send().await.unwrap().status(), 200);
        let behind = metric(service, "tvshows_replica_lag_snapshots").await;
        assert_eq!(behind, "0", "metrics are available");
        let refused = service.post("/pipeline/update").send().await.unwrap();
        assert_eq!(refused.status(), 503);
        assert!(refused.headers().contains_key("retry-after"));
    }
    assert_eq!(read_all(&services).await, [200; 15]);

    server.restart().await;
    for service in &services {
        eventually(async || {
            service.post("/pipeline/update?top=6").send().await.unwrap().status() == 202
        })
        .await;
    }
    wait_for_copies(&services.each_ref(), 6).await;
    assert_eq!(read_all(&services).await, [200; 15]);
}

#[tokio::test]
async fn an_update_survives_a_crash_of_postgresql_while_it_stages() {
    let server = PostgresServer::start().await;
    let replicas = Replicas::on(&server, &[HANGING_PAGE]).await;
    let services = [replicas.start("a").await, replicas.start("b").await];
    let run = services[0].submit_and_stall("?mode=full").await;
    let asked = replicas.env.simulator.requests_for("/shows?page=0");
    server.kill().await;
    replicas.env.simulator.set_faults(&[]);
    server.restart().await;
    // The page that hangs is requested again after its timeout.
    let is_over = async || replicas.run_states().await == ["succeeded"];
    eventually(is_over).await;
    let status = services[0].json(&format!("/pipeline/status/{run}")).await["status"].clone();
    assert_eq!(status["attempt"], 1, "{status}");
    assert_eq!(replicas.env.simulator.requests_for("/shows?page=0"), asked);
    assert_eq!(replicas.snapshots().await, 1);
    let expected = replicas.env.expected_content().await;
    wait_for_copies(&services.each_ref(), 10).await;
    for name in ["a", "b"] {
        assert!(replicas.content(name) == expected, "{name}");
    }
}

#[tokio::test]
async fn an_update_survives_a_crash_of_postgresql_while_it_publishes() {
    for (fault, top) in [(CommitFault::BeforeCommit, 3), (CommitFault::AfterCommit, 4)] {
        let server = PostgresServer::start().await;
        let replicas = Replicas::on(&server, &[]).await;
        let proxy = FaultProxy::start(server.port).await;
        let service = replicas.start_through(proxy.port, "a").await;
        proxy.cut_commit(fault, "INSERT INTO _snapshots");
        service.submit(&format!("?mode=full&top={top}")).await;
        proxy.wait_for_cut_commits(1).await;
        server.kill().await;
        server.restart().await;
        eventually(async || replicas.run_states().await == ["succeeded"]).await;
        wait_for_copies(&[&service], top).await;
        assert_eq!(replicas.snapshots().await, 1, "{fault:?}");
        let attempts = replicas.sql("SELECT attempt FROM runs").await;
        assert_eq!(attempts, "1", "{fault:?}");
    }
}

#[tokio::test]
async fn replicas_follow_again_after_a_crash_of_postgresql() {
    let server = PostgresServer::start().await;
    let replicas = Replicas::on(&server, &[]).await;
    let services = [replicas.start("a").await, replicas.start("b").await];
    update(&services[0], 3).await;
    wait_for_copies(&services.each_ref(), 3).await;
    for top in [4, 5] {
        server.kill().await;
        assert_eq!(read_all(&services).await, [200; 10]);
        server.restart().await;
        eventually(async || {
            let posted = services[1].post(&format!("/pipeline/update?top={top}")).send().await;
            posted.unwrap().status() == 202
        })
        .await;
        wait_for_copies(&services.each_ref(), top).await;
    }
    assert_eq!(replicas.run_states().await, ["succeeded"; 3]);
}
