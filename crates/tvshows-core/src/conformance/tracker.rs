//! What every [`ProgressTracker`] promises.
#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: this is a test suite")]

use super::fixtures::{after, running};
use crate::{ChangeCounts, ProgressTracker, RunEvent, RunId, RunState, Step};

pub async fn an_unknown_run_has_no_status(tracker: &dyn ProgressTracker) {
    tracker.check().await.expect("check");
    assert_eq!(tracker.status(RunId::random()).await.expect("status"), None);
}

pub async fn what_was_recorded_is_what_is_read(tracker: &dyn ProgressTracker) {
    let mut status = running();
    status.instance = "a \"quoted\" name: 42\n\u{a0}".into();
    assert!(tracker.record(&status).await.expect("record"));
    assert_eq!(tracker.status(status.request_id).await.expect("status"), Some(status.clone()));

    let mut status = after(&status, RunEvent::PagesPlanned(360));
    for event in
        [RunEvent::PagesStaged { pages: 1, shows: 250 }, RunEvent::StepBegan(Step::FetchingCast)]
    {
        status = after(&status, event);
    }
    let status = after(&status, RunEvent::Failed("page 7: 500".into()));
    assert!(tracker.record(&status).await.expect("record"));
    assert_eq!(tracker.status(status.request_id).await.expect("status"), Some(status));
}

pub async fn a_late_revision_changes_nothing(tracker: &dyn ProgressTracker) {
    let early = running();
    let later = after(&early, RunEvent::PagesStaged { pages: 1, shows: 250 });
    assert!(tracker.record(&later).await.expect("record"));
    assert!(!tracker.record(&early).await.expect("record"), "late");
    assert!(!tracker.record(&later).await.expect("record"), "twice");
    assert_eq!(tracker.status(early.request_id).await.expect("status"), Some(later));
}

pub async fn a_stale_attempt_changes_nothing(tracker: &dyn ProgressTracker) {
    let paused = running();
    let resumed = after(&after(&paused, RunEvent::Interrupted("paused".into())), RunEvent::Started);
    assert!(tracker.record(&resumed).await.expect("record"));
    let mut late = paused;
    late.revision = resumed.revision + 100;
    assert!(!tracker.record(&late).await.expect("record"));
    assert_eq!(tracker.status(resumed.request_id).await.expect("status"), Some(resumed));
}

pub async fn a_lease_has_one_holder_at_a_time(tracker: &dyn ProgressTracker) {
    let lease = async |data, holder| tracker.lease(data, holder, None).await.expect("lease");
    let holder = async |data| tracker.lease_holder(data).await.expect("holder");
    assert_eq!(holder("one").await, None);
    assert!(lease("one", "a").await);
    assert!(lease("one", "a").await, "renewed");
    assert_eq!(holder("one").await.as_deref(), Some("a"));
    assert!(!lease("one", "b").await);
    assert!(lease("two", "b").await, "other data");
    tracker.release("one", "b").await.expect("release");
    assert!(!lease("one", "b").await, "nobody gives back what is another's");
    tracker.release("one", "a").await.expect("release");
    assert!(lease("one", "b").await);
    assert!(!lease("one", "a").await);
}

pub async fn the_lease_of_a_dead_holder_is_taken_over(tracker: &dyn ProgressTracker) {
    assert!(tracker.lease("data", "a", None).await.expect("lease"));
    assert!(!tracker.lease("data", "b", Some("c")).await.expect("lease"));
    assert!(tracker.lease("data", "b", Some("a")).await.expect("lease"));
    assert!(!tracker.lease("data", "a", None).await.expect("lease"));
}

pub async fn nothing_follows_the_end(tracker: &dyn ProgressTracker) {
    for end in [
        RunEvent::Succeeded(ChangeCounts::default()),
        RunEvent::Failed("no".into()),
        RunEvent::Cancelled,
    ] {
        let ended = after(&running(), end);
        assert!(tracker.record(&ended).await.expect("record"));
        let mut beyond = ended.clone();
        beyond.state = RunState::Running;
        beyond.revision += 1;
        assert!(!tracker.record(&beyond).await.expect("record"));
        assert_eq!(tracker.status(ended.request_id).await.expect("status"), Some(ended));
    }
}

pub async fn an_interrupted_run_may_go_on(tracker: &dyn ProgressTracker) {
    let interrupted = after(&running(), RunEvent::Interrupted("stopped".into()));
    assert!(tracker.record(&interrupted).await.expect("record"));
    let resumed = after(&interrupted, RunEvent::Started);
    assert!(tracker.record(&resumed).await.expect("record"));
    assert_eq!(tracker.status(resumed.request_id).await.expect("status"), Some(resumed));
}

pub async fn runs_do_not_touch_each_other(tracker: &dyn ProgressTracker) {
    let (one, other) = (running(), after(&running(), RunEvent::PagesStaged { pages: 1, shows: 9 }));
    tracker.record(&one).await.expect("record");
    tracker.record(&other).await.expect("record");
    assert_eq!(tracker.status(one.request_id).await.expect("status"), Some(one));
    assert_eq!(tracker.status(other.request_id).await.expect("status"), Some(other));
}
