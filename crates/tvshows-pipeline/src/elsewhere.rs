//! The runs that this process does not have in hand, and is asked for. Each is looked at by one task, however
//! many clients follow it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tvshows_core::{RunId, RunStatus, StoreError};

use crate::interrupted::mark_interrupted;
use crate::runner::Shared;

/// How long a run of another process is left alone between two looks at it: so much later than there is it seen
/// here.
pub(crate) const LOOK: Duration = Duration::from_millis(100);
/// After so many looks for which nobody asked, nobody looks any more.
const IDLE_LOOKS: u32 = 50;
/// How many runs are followed at a time, more than ever are unfinished in one history. Beyond it each is looked at
/// when it is asked for.
const MOST_FOLLOWED: usize = 64;
/// How many ended runs are remembered; they do not change any more.
const MOST_ENDED: usize = 256;

#[derive(Default)]
pub(crate) struct Elsewhere {
    ended: HashMap<RunId, RunStatus>,
    followed: HashMap<RunId, Arc<Followed>>,
}

struct Followed {
    status: watch::Sender<RunStatus>,
    is_wanted: AtomicBool,
}

impl Elsewhere {
    /// The status of a run that is followed here, or that was seen to have ended.
    fn find(&self, run: RunId) -> Option<RunStatus> {
        let Some(followed) = self.followed.get(&run) else { return self.ended.get(&run).cloned() };
        followed.is_wanted.store(true, Relaxed);
        Some(followed.status.borrow().clone())
    }

    /// Every change of a run that is followed here, the present status first.
    pub(crate) fn subscribe(&self, run: RunId) -> Option<watch::Receiver<RunStatus>> {
        Some(self.followed.get(&run)?.status.subscribe())
    }

    /// Looks at a run anew when it is asked for again: this process has changed it.
    pub(crate) fn forget(&mut self, run: RunId) {
        self.followed.remove(&run);
    }

    fn follow(&mut self, status: &RunStatus) -> Option<Arc<Followed>> {
        if self.followed.len() >= MOST_FOLLOWED || self.followed.contains_key(&status.request_id) {
            return None;
        }
        let is_wanted = AtomicBool::new(true);
        let followed = Followed { status: watch::Sender::new(status.clone()), is_wanted };
        let followed = Arc::new(followed);
        self.followed.insert(status.request_id, Arc::clone(&followed));
        Some(followed)
    }

    fn is_followed(&self, run: RunId, by: &Arc<Followed>) -> bool {
        self.followed.get(&run).is_some_and(|present| Arc::ptr_eq(present, by))
    }

    fn end(&mut self, status: &RunStatus) {
        if self.ended.len() >= MOST_ENDED {
            self.ended.clear();
        }
        self.ended.insert(status.request_id, status.clone());
    }
}

impl Shared {
    /// The status of a run that this process does not have in hand.
    pub(crate) async fn status_elsewhere(
        self: &Arc<Self>,
        run: RunId,
    ) -> Result<Option<RunStatus>, StoreError> {
        if let Some(status) = self.elsewhere().find(run) {
            return Ok(Some(status));
        }
        let seen = self.look(run).await?;
        match &seen {
            Some(status) if status.state.is_terminal() => self.elsewhere().end(status),
            Some(status) => {
                if let Some(followed) = self.elsewhere().follow(status) {
                    self.tasks
                        .spawn_on(Arc::clone(self).keep_looking(run, followed), &self.runtime);
                }
            }
            None => {}
        }
        Ok(seen)
    }

    /// What the history and the tracker say of a run now, whichever knows it best.
    pub(crate) async fn look(&self, run: RunId) -> Result<Option<RunStatus>, StoreError> {
        let mut stored = self.store().run(run).await?;
        if let Some(status) = &mut stored {
            mark_interrupted(self.store(), status).await?;
            if !status.state.is_active() {
                return Ok(stored);
            }
        }
        let tracked = self.tracker.status(run).await.unwrap_or_else(|error| {
            let error = &error as &dyn std::error::Error;
            tracing::warn!(run.id = %run, error, "the progress tracker cannot be asked");
            None
        });
        Ok(tracked.into_iter().chain(stored).max_by_key(|status| status.revision))
    }

    /// Shows what becomes of a run until it has ended, or nobody wants to know.
    async fn keep_looking(self: Arc<Self>, run: RunId, followed: Arc<Followed>) {
        let mut idle = 0;
        loop {
            tokio::select! {
                () = sleep(LOOK) => {}
                () = self.stopped.cancelled() => break,
            }
            let is_wanted =
                followed.is_wanted.swap(false, Relaxed) || followed.status.receiver_count() > 0;
            idle = if is_wanted { 0 } else { idle + 1 };
            if idle >= IDLE_LOOKS || !self.elsewhere().is_followed(run, &followed) {
                break;
            }
            let seen = tokio::select! {
                seen = self.look(run) => seen,
                () = self.stopped.cancelled() => break,
            };
            let Ok(Some(status)) = seen else { break };
            let mut elsewhere = self.elsewhere();
            if !elsewhere.is_followed(run, &followed) {
                break;
            }
            let is_over = status.state.is_terminal();
            if is_over {
                elsewhere.end(&status);
            }
            followed.status.send_if_modified(|shown| {
                let is_news = *shown != status;
                *shown = status;
                is_news
            });
            if is_over {
                break;
            }
        }
        let mut elsewhere = self.elsewhere();
        if elsewhere.is_followed(run, &followed) {
            elsewhere.forget(run);
        }
    }
}
