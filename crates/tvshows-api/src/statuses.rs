use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use actix_web::web::Bytes;
use tvshows_core::{RunId, RunStatus};

use crate::routes::pipeline::StatusBody;

/// How many runs are asked for at a time, with room to spare.
const MOST_RUNS: usize = 256;

/// The last status of each run, as it was sent: everyone who follows a run gets the same bytes.
#[derive(Default)]
pub(crate) struct Statuses {
    sent: Mutex<HashMap<RunId, (RunStatus, Sent)>>,
}

/// A status as it is sent.
#[derive(Debug, Clone)]
pub(crate) struct Sent {
    /// As a server-sent event.
    pub(crate) event: Bytes,
    /// As JSON, which is a part of the event.
    pub(crate) body: Bytes,
}

impl Statuses {
    /// A status as it is sent. A revision does not tell two of them apart: a run that waits moves up without one.
    pub(crate) fn of(&self, status: RunStatus) -> Sent {
        let mut kept = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, sent)) = kept.get(&status.request_id)
            && *last == status
        {
            return sent.clone();
        }
        let sent = Sent::of(status.clone());
        if kept.len() >= MOST_RUNS {
            kept.clear();
        }
        kept.insert(status.request_id, (status, sent.clone()));
        sent
    }
}

impl Sent {
    fn of(status: RunStatus) -> Sent {
        let mut event = String::with_capacity(1024);
        let _ = write!(event, "id: {}\ndata: ", status.revision);
        let begin = event.len();
        event.push_str(&serde_json::to_string(&StatusBody::of(status)).unwrap_or_default());
        let end = event.len();
        event.push_str("\n\n");
        let event = Bytes::from(event);
        Sent { body: event.slice(begin..end), event }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use tvshows_core::{RunEvent, RunParameters};

    use super::*;

    fn queued() -> RunStatus {
        let now = Timestamp::UNIX_EPOCH;
        RunStatus::queued(RunId::random(), RunParameters::default(), "here", now)
    }

    #[test]
    fn the_same_status_is_the_same_bytes_and_another_one_is_not() {
        let statuses = Statuses::default();
        let mut status = queued();
        let first = statuses.of(status.clone());
        assert_eq!(statuses.of(status.clone()).body.as_ptr(), first.body.as_ptr());
        status.position = Some(1);
        let moved = statuses.of(status.clone());
        assert!(moved.body != first.body, "it moved up, at the same revision");
        status.apply(RunEvent::Started, Timestamp::UNIX_EPOCH);
        let event = statuses.of(status.clone()).event;
        assert!(
            event.starts_with(format!("id: {}\ndata: {{\"status\":", status.revision).as_bytes())
        );
        assert!(event.ends_with(b"}\n\n"));
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let statuses = Statuses::default();
        for _ in 0..=MOST_RUNS {
            statuses.of(queued());
        }
        assert!(statuses.sent.lock().unwrap().len() <= MOST_RUNS);
    }
}
