//! A connection that breaks at the end of a transaction.

use serde_json::json;
use tvshows_testkit::{CommitFault, FaultProxy, HANGING_PAGE};

use super::{Replicas, wait_for_copies};

const FAULTS: [CommitFault; 2] = [CommitFault::AfterCommit, CommitFault::BeforeCommit];

#[tokio::test]
async fn a_publish_whose_response_is_lost_is_published_once_and_reported() {
    let replicas = Replicas::new(&[]).await;
    let proxy = FaultProxy::start(replicas.server.port).await;
    let publisher = replicas.start_through(proxy.port, "a").await;
    let other = replicas.start_serving("b").await;
    for (fault, number) in FAULTS.into_iter().zip(1..) {
        proxy.cut_commit(fault, "INSERT INTO _snapshots");
        let top = number + 2;
        let run = publisher.submit(&format!("?mode=full&top={top}")).await;
        let status = publisher.wait_for_end(&run).await;
        proxy.wait_for_cut_commits(number as u64).await;
        assert_eq!(
            (&status["state"], &status["attempt"]),
            (&json!("succeeded"), &json!(1)),
            "{fault:?}"
        );
        assert_eq!(other.wait_for_end(&run).await["state"], "succeeded");
        assert_eq!(replicas.snapshots().await, number);
        wait_for_copies(&[&publisher, &other], top).await;
    }
    assert_eq!(replicas.run_states().await, ["succeeded", "succeeded"]);
    assert!(replicas.sql("SELECT count(*) FROM all_shows").await.parse::<u32>().unwrap() > 2000);
}

#[tokio::test]
async fn staged_data_whose_commit_is_uncertain_is_neither_lost_nor_fetched_again() {
    tokio::join!(
        cut_while_staging(CommitFault::AfterCommit),
        cut_while_staging(CommitFault::BeforeCommit),
    );
}

async fn cut_while_staging(fault: CommitFault) {
    let replicas = Replicas::new(&[HANGING_PAGE]).await;
    let proxy = FaultProxy::start(replicas.server.port).await;
    let service = replicas.start_through(proxy.port, "a").await;
    proxy.cut_commit(fault, "_staged_pages");
    let run = service.submit("?mode=full").await;
    proxy.wait_for_cut_commits(1).await;
    replicas.env.simulator.wait_for_faults().await;
    replicas.env.simulator.set_faults(&[]);
    let status = service.wait_for_end(&run).await;
    assert_eq!(
        (&status["state"], &status["attempt"]),
        (&json!("succeeded"), &json!(1)),
        "{fault:?}"
    );
    assert_eq!(replicas.env.simulator.requests_for("/shows?page=0"), 1);
    wait_for_copies(&[&service], 10).await;
    assert!(replicas.content("a") == replicas.env.expected_content().await, "{fault:?}");
}

#[tokio::test]
async fn a_request_for_an_update_whose_commit_is_uncertain_is_one_run() {
    let replicas = Replicas::new(&[]).await;
    let proxy = FaultProxy::start(replicas.server.port).await;
    let service = replicas.start_through(proxy.port, "a").await;
    for (fault, number) in FAULTS.into_iter().zip(1..) {
        proxy.cut_commit(fault, "INSERT INTO _runs");
        let run = service.submit(&format!("?top={number}")).await;
        proxy.wait_for_cut_commits(number).await;
        assert_eq!(service.wait_for_end(&run).await["state"], "succeeded", "{fault:?}");
        assert_eq!(replicas.run_states().await.len() as u64, number);
    }
}
