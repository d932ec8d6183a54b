use tvshows_core::ProgressTracker;
use tvshows_core::conformance::fixtures::running;
use tvshows_progress::InProcessTracker;

#[expect(clippy::unused_async, reason = "the suite awaits the creation of every tracker")]
async fn new() -> Box<InProcessTracker> {
    Box::default()
}

tvshows_core::progress_tracker_conformance!(new);

#[tokio::test]
async fn the_oldest_run_is_evicted_first() {
    let tracker = InProcessTracker::default();
    let first = running();
    tracker.publish_status(&first).await.unwrap();
    let mut last = first.request_id;
    for _ in 0..300 {
        let status = running();
        last = status.request_id;
        tracker.publish_status(&status).await.unwrap();
    }
    assert_eq!(tracker.status(first.request_id).await.unwrap(), None);
    assert!(tracker.status(last).await.unwrap().is_some());
}
