//! The promises of every [`ProgressTracker`].
#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: this is a test suite")]

use super::fixtures::{after, running};
use crate::{ChangeCounts, ProgressTracker, RunEvent, RunId, RunState, Step};

pub async fn an_unknown_run_has_no_status(tracker: &dyn ProgressTracker) {
    tracker.health().await.expect("health");
    assert_eq!(tracker.status(RunId::random()).await.expect("status"), None);
}

pub async fn a_published_status_is_read_back(tracker: &dyn ProgressTracker) {
    let mut status = running();
    status.instance = "a \"quoted\" name: 42\n\u{a0}".into();
    assert!(tracker.publish_status(&status).await.expect("publish"));
    assert_eq!(tracker.status(status.request_id).await.expect("status"), Some(status.clone()));

    let mut status = after(&status, RunEvent::PagesPlanned(360));
    for event in
        [RunEvent::PagesStaged { pages: 1, shows: 250 }, RunEvent::StepBegan(Step::FetchingCast)]
    {
        status = after(&status, event);
    }
    let status = after(&status, RunEvent::Failed("page 7: 500".into()));
    assert!(tracker.publish_status(&status).await.expect("publish"));
    assert_eq!(tracker.status(status.request_id).await.expect("status"), Some(status));
}

pub async fn a_late_revision_changes_nothing(tracker: &dyn ProgressTracker) {
    let early = running();
    let later = after(&early, RunEvent::PagesStaged { pages: 1, shows: 250 });
    assert!(tracker.publish_status(&later).await.expect("publish"));
    assert!(!tracker.publish_status(&early).await.expect("publish"), "late");
    assert!(!tracker.publish_status(&later).await.expect("publish"), "twice");
    assert_eq!(tracker.status(early.request_id).await.expect("status"), Some(later));
}

pub async fn a_stale_attempt_changes_nothing(tracker: &dyn ProgressTracker) {
    let paused = running();
    let resumed = after(&after(&paused, RunEvent::Interrupted("paused".into())), RunEvent::Started);
    assert!(tracker.publish_status(&resumed).await.expect("publish"));
    let mut late = paused;
    late.revision = resumed.revision + 100;
    assert!(!tracker.publish_status(&late).await.expect("publish"));
    assert_eq!(tracker.status(resumed.request_id).await.expect("status"), Some(resumed));
}

pub async fn nothing_follows_the_end(tracker: &dyn ProgressTracker) {
    for end in [
        RunEvent::Succeeded(ChangeCounts::default()),
        RunEvent::Failed("no".into()),
        RunEvent::Cancelled,
    ] {
        let ended = after(&running(), end);
        assert!(tracker.publish_status(&ended).await.expect("publish"));
        let mut beyond = ended.clone();
        beyond.state = RunState::Running;
        beyond.revision += 1;
        assert!(!tracker.publish_status(&beyond).await.expect("publish"));
        assert_eq!(tracker.status(ended.request_id).await.expect("status"), Some(ended));
    }
}

pub async fn an_interrupted_run_may_resume(tracker: &dyn ProgressTracker) {
    let interrupted = after(&running(), RunEvent::Interrupted("stopped".into()));
    assert!(tracker.publish_status(&interrupted).await.expect("publish"));
    let resumed = after(&interrupted, RunEvent::Started);
    assert!(tracker.publish_status(&resumed).await.expect("publish"));
    assert_eq!(tracker.status(resumed.request_id).await.expect("status"), Some(resumed));
}

pub async fn runs_do_not_touch_each_other(tracker: &dyn ProgressTracker) {
    let (one, other) = (running(), after(&running(), RunEvent::PagesStaged { pages: 1, shows: 9 }));
    tracker.publish_status(&one).await.expect("publish");
    tracker.publish_status(&other).await.expect("publish");
    assert_eq!(tracker.status(one.request_id).await.expect("status"), Some(one));
    assert_eq!(tracker.status(other.request_id).await.expect("status"), Some(other));
}
