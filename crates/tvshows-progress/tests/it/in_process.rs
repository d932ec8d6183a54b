use tvshows_core::ProgressTracker;
use tvshows_core::conformance::fixtures::running;
use tvshows_progress::InProcessTracker;

#[expect(clippy::unused_async, reason = "the suite awaits the making of every tracker")]
async fn new() -> Box<InProcessTracker> {
    Box::default()
}

tvshows_core::tracker_conformance!(new);

#[tokio::test]
async fn the_stalest_run_is_forgotten_first() {
    let tracker = InProcessTracker::default();
    let first = running();
    tracker.record(&first).await.unwrap();
    let mut last = first.request_id;
    for _ in 0..300 {
        let status = running();
        last = status.request_id;
        tracker.record(&status).await.unwrap();
    }
    assert_eq!(tracker.status(first.request_id).await.unwrap(), None);
    assert!(tracker.status(last).await.unwrap().is_some());
}
