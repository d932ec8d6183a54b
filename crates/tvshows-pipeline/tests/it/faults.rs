use std::sync::Arc;

use async_trait::async_trait;
use tvshows_core::{
    LOCK_TTL, LockError, LockExpiry, ProgressTracker, RunId, RunLock, RunState, RunStatus, Step,
    TrackerError,
};
use tvshows_testkit::ScriptedSimulator;

use crate::harness::TestEnv;

/// The final status of a run with these faults, which follows an undisturbed one. The tables must not change.
async fn failure(faults: &[&str]) -> RunStatus {
    let simulator = ScriptedSimulator::start(&[]).await;
    let env = TestEnv::with_short_timeout(&simulator.base_url()).await;
    assert_eq!(env.update().await.state, RunState::Succeeded);
    let before = env.tables().await;
    simulator.set_faults(faults);
    let status = env.update_fully().await;
    assert_eq!(status.state, RunState::Failed);
    assert!(env.tables().await == before, "the tables are as they were");
    assert_eq!(
        env.store.get(status.request_id).await.unwrap(),
        Some(RunStatus { eta_seconds: None, ..status.clone() })
    );
    simulator.set_faults(&[]);
    assert_eq!(env.update().await.state, RunState::Succeeded, "the next run is as good as any");
    status
}

#[tokio::test]
async fn a_page_that_stays_broken_fails_the_run_and_is_named() {
    for kind in ["status:500", "cut", "malformed", "object", "reset", "hang"] {
        let status = failure(&[&format!("{kind}@/shows?page=3")]).await;
        let error = status.error.unwrap();
        assert!(error.contains("index page 3 ") && error.contains("3 attempts"), "{kind}: {error}");
        assert_eq!(status.step, Step::FetchingShows);
    }
}

#[tokio::test]
async fn a_refused_page_is_not_asked_again() {
    let error = failure(&["status:403@/shows?page=3"]).await.error.unwrap();
    assert!(error.contains("index page 3 ") && error.contains("403"), "{error}");
}

#[tokio::test]
async fn a_page_missing_from_the_middle_fails_the_run() {
    let error = failure(&["missing@/shows?page=7"]).await.error.unwrap();
    assert!(error.contains("index page 7 returned 404"), "{error}");
}

#[tokio::test]
async fn without_a_map_the_last_snapshot_knows_which_pages_exist() {
    let error = failure(&["missing@/shows?page=7", "missing@/updates/shows"]).await.error.unwrap();
    assert!(error.contains("index page 7 returned 404"), "{error}");
}

#[tokio::test]
async fn without_a_map_the_last_page_of_the_snapshot_must_be_there_too() {
    let error = failure(&["missing@/shows?page=9", "missing@/updates/shows"]).await.error.unwrap();
    assert!(error.contains("index page 9 returned 404, although the last snapshot"), "{error}");
}

#[tokio::test]
async fn without_map_and_snapshot_a_later_page_shows_the_gap() {
    let simulator =
        ScriptedSimulator::start(&["missing@/shows?page=7", "missing@/updates/shows"]).await;
    let env = TestEnv::new(&simulator.base_url()).await;
    let status = env.update().await;
    let error = status.error.unwrap();
    assert!(error.contains("index page 7 returned 404, although page "), "{error}");
    assert_eq!(env.tables().await, "");
}

#[tokio::test]
async fn a_cast_that_stays_broken_fails_the_run_and_is_named() {
    let simulator = ScriptedSimulator::start(&[]).await;
    let env = TestEnv::new(&simulator.base_url()).await;
    env.update().await;
    let best = env.store.top_shows(1).await.unwrap()[0].id;
    let status = failure(&[&format!("status:503@/shows/{best}/cast")]).await;
    let error = status.error.unwrap();
    assert!(error.contains(&format!("the cast of show {best} ")), "{error}");
    assert_eq!(status.step, Step::FetchingCast);
}

#[tokio::test]
async fn passing_faults_leave_no_trace() {
    let faults =
        ["status:500*2@/shows?page=3", "cut*1@/shows?page=4", "malformed*2@/updates/shows"];
    let simulator = ScriptedSimulator::start(&faults).await;
    let env = TestEnv::new(&simulator.base_url()).await;
    let status = env.update().await;
    assert_eq!(
        (status.state, status.shows_seen, status.counts.retries),
        (RunState::Succeeded, 2300, 5)
    );
}

#[tokio::test]
async fn a_refused_connection_is_reported_in_one_sentence() {
    let simulator = ScriptedSimulator::start(&[]).await;
    let base_url = simulator.base_url();
    simulator.stop().await;
    let env = TestEnv::new(&base_url).await;
    let error = env.update().await.error.unwrap();
    assert!(error.contains("TVmaze"), "{error}");
}

#[tokio::test]
async fn an_upstream_without_shows_is_never_published() {
    let simulator =
        ScriptedSimulator::start(&["missing@/updates/shows", "missing@/shows?page=0"]).await;
    simulator.set_dataset(tvmaze_sim::Dataset::synthetic(1, 1));
    let env = TestEnv::new(&simulator.base_url()).await;
    let error = env.update().await.error.unwrap();
    assert!(error.contains("contains no shows"), "{error}");
}

/// A tracker whose backend is unavailable.
struct Unavailable;

#[async_trait]
impl ProgressTracker for Unavailable {
    async fn publish_status(&self, _: &RunStatus) -> Result<bool, TrackerError> {
        Err(TrackerError::Unavailable { backend: "a tracker".into(), source: "gone".into() })
    }

    async fn status(&self, _: RunId) -> Result<Option<RunStatus>, TrackerError> {
        Err(TrackerError::Unavailable { backend: "a tracker".into(), source: "gone".into() })
    }

    async fn health(&self) -> Result<(), TrackerError> {
        Err(TrackerError::Unavailable { backend: "a tracker".into(), source: "gone".into() })
    }
}

#[async_trait]
impl RunLock for Unavailable {
    async fn acquire(&self, _: &str, _: Option<&str>) -> Result<bool, LockError> {
        Err(LockError { backend: "a lease".into(), source: "gone".into() })
    }

    async fn renew(&self, _: &str) -> Result<bool, LockError> {
        Err(LockError { backend: "a lease".into(), source: "gone".into() })
    }

    async fn holder(&self) -> Result<Option<String>, LockError> {
        Err(LockError { backend: "a lease".into(), source: "gone".into() })
    }

    async fn release(&self, _: &str) {}

    fn expiry(&self) -> LockExpiry {
        LockExpiry::After(LOCK_TTL)
    }
}

#[tokio::test]
async fn a_tracker_that_fails_never_fails_a_run() {
    let simulator = ScriptedSimulator::start(&[]).await;
    let env =
        TestEnv::with_shared(&simulator.base_url(), Arc::new(Unavailable), Arc::new(Unavailable))
            .await;
    let status = env.update().await;
    assert_eq!(status.state, RunState::Succeeded);
    assert_eq!(env.runner.status(status.request_id).await.unwrap(), Some(status));
    assert_eq!(env.runner.status(RunId::random()).await.unwrap(), None);
}
