//! A standby that becomes the primary.

use tvshows_testkit::{Direction, FaultProxy, HANGING_PAGE, PostgresServer, Service, eventually};

use super::{Replicas, top_shows, update, wait_for_copies};

/// The URL of a database on two servers.
fn url_of_both(replicas: &Replicas<'_>, standby: &PostgresServer) -> String {
    let primary = format!("127.0.0.1:{}", replicas.server.port);
    let both = format!("{primary},127.0.0.1:{}", standby.port);
    replicas.url.replace(&primary, &both) + "?target_session_attrs=read-write"
}

async fn start(replicas: &Replicas<'_>, standby: &PostgresServer, name: &str) -> Service {
    let mut command = replicas.command(name);
    command.env("DATABASE_URL", url_of_both(replicas, standby));
    Service::spawn(command).await
}

#[tokio::test]
async fn the_same_attempt_continues_after_a_failover() {
    let primary = PostgresServer::start().await;
    let standby = PostgresServer::start_standby(primary.port).await;
    let replicas = Replicas::on(&primary, &[HANGING_PAGE]).await;
    let services = [start(&replicas, &standby, "a").await, start(&replicas, &standby, "b").await];
    let run = services[0].submit_and_stall("?mode=full").await;
    let asked = replicas.env.simulator.requests_for("/shows?page=0");
    primary.wait_for_standby().await;
    primary.kill().await;
    standby.promote().await;
    replicas.env.simulator.set_faults(&[]);
    wait_for_copies(&services.each_ref(), 10).await;
    for service in &services {
        let status = service.wait_for_end(&run).await;
        assert_eq!(
            (status["state"].as_str(), status["attempt"].as_u64()),
            (Some("succeeded"), Some(1))
        );
    }
    assert_eq!(replicas.env.simulator.requests_for("/shows?page=0"), asked);
    assert!(replicas.content("b") == replicas.env.expected_content().await);
}

#[tokio::test]
async fn copies_of_a_snapshot_that_a_failover_lost_are_replaced() {
    let primary = PostgresServer::start().await;
    let replication = FaultProxy::start(primary.port).await;
    let standby = PostgresServer::start_standby(replication.port).await;
    let replicas = Replicas::on(&primary, &[]).await;
    let services = [start(&replicas, &standby, "a").await, start(&replicas, &standby, "b").await];
    update(&services[0], 3).await;
    primary.wait_for_standby().await;
    replication.block(Direction::Both);
    update(&services[1], 4).await;
    wait_for_copies(&services.each_ref(), 4).await;

    primary.kill().await;
    standby.promote().await;
    for service in &services {
        eventually(async || {
            let response = service.get("/shows/top_shows").send().await.unwrap();
            assert_eq!(response.status(), 200);
            top_shows(service).await == 3
        })
        .await;
    }
    let url = standby.url(replicas.url.rsplit('/').next().unwrap());
    assert_eq!(standby.psql(&url, "SELECT state FROM runs").await, "succeeded");
    update(&services[0], 5).await;
    wait_for_copies(&services.each_ref(), 5).await;
    assert!(replicas.content("a") == replicas.content("b"));
}
