//! PostgreSQL and Redis that fail and return.

use std::process::Command;

use tvmaze_sim::Dataset;
use tvshows_testkit::{
    CommitFault, FaultProxy, HANGING_PAGE, PostgresServer, RedisServer, Service, SmallDisk,
    eventually,
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
    assert_eq!(read_all(&services).await, [200; 18]);

    server.restart().await;
    for service in &services {
        eventually(async || {
            service.post("/pipeline/update?top=6").send().await.unwrap().status() == 202
        })
        .await;
    }
    wait_for_copies(&services.each_ref(), 6).await;
    assert_eq!(read_all(&services).await, [200; 18]);
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
        assert_eq!(read_all(&services).await, [200; 12]);
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

#[tokio::test]
async fn an_update_and_reads_survive_that_no_connection_is_free() {
    let mut replicas = Replicas::new(&[]).await;
    let admin = replicas.url.clone();
    let as_admin = async |sql: &str| replicas.server.psql(&admin, sql).await;
    let database = admin.rsplit_once('/').unwrap().1;
    // The limit applies to everybody but superusers.
    as_admin(&format!("CREATE ROLE limited LOGIN; ALTER DATABASE {database} OWNER TO limited"))
        .await;
    replicas.url = admin.replace("postgres:secret@", "limited:secret@");
    let service = replicas.start("a").await;
    update(&service, 3).await;
    wait_for_copies(&[&service], 3).await;
    replicas.env.simulator.set_faults(&[HANGING_PAGE]);
    let run = service.submit_and_stall("?mode=full&top=4").await;

    as_admin("ALTER ROLE limited CONNECTION LIMIT 0").await;
    as_admin("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = 'limited'")
        .await;
    eventually(async || service.json("/health/ready").await["status"] == "degraded").await;
    let services = [service];
    assert_eq!(read_all(&services).await, [200; 6]);
    let refused = services[0].post("/pipeline/update?top=9").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.headers().contains_key("retry-after"));
    let mut command = replicas.env.tvshows(&["runs"]);
    command.env("DATABASE_URL", &replicas.url).env("DATABASE_PATH", "b.db");
    let error = String::from_utf8(command.output().await.unwrap().stderr).unwrap();
    assert!(error.contains("too many connections"), "{error}");

    as_admin("ALTER ROLE limited CONNECTION LIMIT -1").await;
    replicas.env.simulator.set_faults(&[]);
    let status = services[0].wait_for_end(&run).await;
    assert_eq!((&status["state"], &status["attempt"]), (&"succeeded".into(), &1.into()));
    wait_for_copies(&services.each_ref(), 4).await;
}

#[tokio::test]
async fn a_full_disk_of_postgresql_fails_the_update_and_is_recovered_from() {
    let Some(disk) = SmallDisk::mount("a_full_disk_of_postgresql", "200m") else { return };
    let server = PostgresServer::start().await;
    let replicas = Replicas::on(&server, &[]).await;
    let folder = disk.folder().to_str().unwrap();
    assert!(Command::new("chown").args(["postgres", folder]).status().unwrap().success());
    let (_, database) = replicas.url.rsplit_once('/').unwrap();
    let admin = server.url("postgres");
    server.psql(&admin, &format!("CREATE TABLESPACE small LOCATION '{folder}'")).await;
    server.psql(&admin, &format!("ALTER DATABASE {database} SET TABLESPACE small")).await;
    let services = [replicas.start("a").await, replicas.start("b").await];
    update(&services[0], 3).await;
    wait_for_copies(&services.each_ref(), 3).await;
    let content = replicas.content("a");

    replicas.env.simulator.set_dataset(Dataset::synthetic(2300, 2));
    disk.fill();
    let run = services[0].submit("?mode=full&top=4").await;
    let status = services[0].wait_for_end(&run).await;
    assert_eq!(status["state"], "failed", "{status}");
    assert!(status["error"].as_str().unwrap().contains("disk is full"), "{status}");
    assert_eq!(read_all(&services).await, [200; 12]);
    assert!(replicas.content("a") == content);

    disk.empty();
    update(&services[1], 5).await;
    wait_for_copies(&services.each_ref(), 5).await;
    assert!(replicas.content("a") == replicas.content("b"));
    assert!(replicas.content("a") != content);
}
