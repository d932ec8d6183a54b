//! The changes of runs, for event streams. One task follows each run, however many streams it has.

use std::collections::HashMap;
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::web::Bytes;
use futures::stream::{self, Stream, StreamExt};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};
use tvshows_core::{RunId, RunStatus};
use tvshows_pipeline::Runner;

use crate::cache::status_cache::StatusCache;

/// With more streams of a run than this, its changes are coalesced.
const MAX_UNCOALESCED_STREAMS: usize = 1000;
/// The least time between coalesced changes. The state of a run changes without delay.
const COALESCED_INTERVAL: Duration = Duration::from_millis(500);
/// How long to wait for a change before waiting again.
const CHANGE_TIMEOUT: Duration = Duration::from_mins(1);

/// The runs that have event streams.
#[derive(Default)]
pub(crate) struct RunFeeds {
    statuses: StatusCache,
    feeds: Mutex<HashMap<RunId, watch::Sender<FeedEvent>>>,
}

/// A status, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct FeedEvent {
    pub(crate) revision: u64,
    pub(crate) event: Bytes,
    /// Whether no other event follows.
    pub(crate) is_last: bool,
}

/// A new status of a run.
struct Change {
    status: RunStatus,
    is_last: bool,
}

impl RunFeeds {
    /// The cache of statuses that polls and streams share.
    pub(crate) fn statuses(&self) -> &StatusCache {
        &self.statuses
    }

    /// The changes of a run after `current`.
    pub(crate) fn subscribe(
        self: &Arc<Self>,
        runner: &Runner,
        current: &RunStatus,
    ) -> watch::Receiver<FeedEvent> {
        let run = current.request_id;
        let mut feeds = self.feeds();
        if let Some(feed) = feeds.get(&run) {
            let mut receiver = feed.subscribe();
            let is_news = {
                let latest = receiver.borrow();
                latest.is_last || latest.revision > current.revision
            };
            if is_news {
                receiver.mark_changed();
            }
            return receiver;
        }
        let change = Change { status: current.clone(), is_last: false };
        let (sender, receiver) = watch::channel(self.event(change));
        feeds.insert(run, sender.clone());
        let feed = Feed { feeds: Arc::clone(self), run, sender };
        // Ends with the last stream, the run, or the server's worker.
        drop(actix_web::rt::spawn(feed.follow(runner.clone(), current.revision)));
        receiver
    }

    fn event(&self, Change { status, is_last }: Change) -> FeedEvent {
        let revision = status.revision;
        FeedEvent { revision, event: self.statuses.render(status).event, is_last }
    }

    fn feeds(&self) -> MutexGuard<'_, HashMap<RunId, watch::Sender<FeedEvent>>> {
        self.feeds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Follows a run. When it is dropped, the streams of the run end.
struct Feed {
    feeds: Arc<RunFeeds>,
    run: RunId,
    sender: watch::Sender<FeedEvent>,
}

impl Feed {
    async fn follow(self, runner: Runner, revision: u64) {
        let changes = changes(runner, self.run, revision);
        let streams = || self.sender.receiver_count();
        let send = |change| {
            self.sender.send_replace(self.feeds.event(change));
        };
        let mut following = pin!(coalesce(changes, streams, send));
        loop {
            tokio::select! {
                () = &mut following => return,
                () = self.sender.closed() => {
                    let mut feeds = self.feeds.feeds();
                    // Unless a stream was opened since.
                    if self.sender.receiver_count() == 0 {
                        feeds.remove(&self.run);
                        return;
                    }
                }
            }
        }
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        let mut feeds = self.feeds.feeds();
        if feeds.get(&self.run).is_some_and(|current| current.same_channel(&self.sender)) {
            feeds.remove(&self.run);
        }
    }
}

/// The changes of a run after `revision`. Ends without a last one if they cannot be read.
fn changes(runner: Runner, run: RunId, revision: u64) -> impl Stream<Item = Change> {
    stream::unfold(Some(revision), move |seen| {
        let runner = runner.clone();
        async move {
            let seen = seen?;
            loop {
                let changed = runner.wait_for_change(run, seen, CHANGE_TIMEOUT).await;
                let status = changed.ok().flatten()?;
                let is_last = status.state.is_terminal() || runner.is_shutting_down();
                if is_last || status.revision != seen {
                    let next = (!is_last).then_some(status.revision);
                    return Some((Change { status, is_last }, next));
                }
            }
        }
    })
}

/// Passes changes on: each of them, or two per second and each new state if there are many streams.
async fn coalesce(
    changes: impl Stream<Item = Change>,
    streams: impl Fn() -> usize,
    mut send: impl FnMut(Change),
) {
    let mut changes = pin!(changes);
    let mut state = None;
    let mut next_at = Instant::now();
    let mut held = None;
    loop {
        let change = tokio::select! {
            biased;
            change = changes.next() => match change {
                Some(change) => change,
                None => return held.into_iter().for_each(send),
            },
            () = sleep_until(next_at), if held.is_some() => match held.take() {
                Some(change) => change,
                None => continue,
            },
        };
        let is_due = change.is_last
            || state != Some(change.status.state)
            || streams() <= MAX_UNCOALESCED_STREAMS
            || Instant::now() >= next_at;
        if is_due {
            held = None;
            state = Some(change.status.state);
            next_at = Instant::now() + COALESCED_INTERVAL;
            send(change);
        } else {
            held = Some(change);
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tokio::time::sleep;
    use tvshows_core::{RunEvent, RunParameters, RunState};

    use super::*;

    /// Ten changes a second for five seconds, all of a running run; then one 50 ms later.
    fn five_seconds(last: impl FnOnce(&mut RunStatus)) -> Vec<(Duration, Change)> {
        let now = Timestamp::UNIX_EPOCH;
        let mut status = RunStatus::queued(RunId::random(), RunParameters::default(), "here", now);
        status.apply(RunEvent::Started, now);
        let mut changes = Vec::new();
        for _ in 0..50 {
            status.revision += 1;
            let change = Change { status: status.clone(), is_last: false };
            changes.push((Duration::from_millis(100), change));
        }
        status.revision += 1;
        last(&mut status);
        let is_last = status.state.is_terminal();
        changes.push((Duration::from_millis(50), Change { status, is_last }));
        changes
    }

    /// When each change was sent in milliseconds, and its revision.
    async fn sent(streams: usize, changes: Vec<(Duration, Change)>) -> Vec<(u128, u64)> {
        let start = Instant::now();
        let mut sent = Vec::new();
        let changes = stream::iter(changes).then(|(delay, change)| async move {
            sleep(delay).await;
            change
        });
        // Longer than any change is held.
        let changes = changes.chain(stream::once(std::future::pending()));
        let record = |change: Change| {
            sent.push((start.elapsed().as_millis(), change.status.revision));
        };
        let following = coalesce(changes, || streams, record);
        let _ = tokio::time::timeout(Duration::from_mins(1), following).await;
        sent
    }

    fn intervals(sent: &[(u128, u64)]) -> Vec<u128> {
        sent.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn up_to_a_thousand_streams_get_each_change_at_once() {
        let sent = sent(MAX_UNCOALESCED_STREAMS, five_seconds(|_| {})).await;
        assert_eq!(intervals(&sent), [&[100; 49][..], &[50]].concat());
    }

    #[tokio::test(start_paused = true)]
    async fn more_streams_get_two_changes_a_second_and_the_newest_of_them() {
        let changes = five_seconds(|_| {});
        let newest = changes.last().unwrap().1.status.revision;
        let sent = sent(MAX_UNCOALESCED_STREAMS + 1, changes).await;
        assert_eq!(intervals(&sent), [500; 10], "{sent:?}");
        assert_eq!(sent.last().unwrap().1, newest, "it is sent even if nothing follows");
    }

    #[tokio::test(start_paused = true)]
    async fn a_new_state_is_sent_at_once() {
        for state in [RunState::Interrupted, RunState::Succeeded] {
            let changes = five_seconds(|status| status.state = state);
            let sent = sent(5000, changes).await;
            assert_eq!(sent.last().unwrap().0, 5050, "{state}");
        }
    }
}
