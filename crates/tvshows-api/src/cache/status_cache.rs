use std::collections::HashMap;
use std::fmt::Write;
use std::sync::{Mutex, PoisonError};

use actix_web::web::Bytes;
use serde::Serialize;
use tvshows_core::{RunId, RunStatus};

use crate::schemas;

/// More runs than clients usually follow at the same time.
const CAPACITY: usize = 256;

/// Caches the last rendered status of each run, so that all clients of a run share its bytes.
#[derive(Default)]
pub(crate) struct StatusCache {
    statuses: Mutex<HashMap<RunId, (RunStatus, RenderedStatus)>>,
}

/// A status, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) struct RenderedStatus {
    /// A server-sent event.
    pub(crate) event: Bytes,
    /// JSON; a slice of the event.
    pub(crate) body: Bytes,
}

/// A run's status.
#[derive(Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct StatusBody {
    #[schema(value_type = schemas::RunStatus)]
    status: RunStatus,
    /// The status's revision.
    #[schema(example = "42")]
    signature: String,
}

impl StatusCache {
    /// Compares whole statuses, because a queued run's position changes without a new revision.
    pub(crate) fn render(&self, status: RunStatus) -> RenderedStatus {
        let mut statuses = self.statuses.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((last, rendered)) = statuses.get(&status.request_id)
            && *last == status
        {
            return rendered.clone();
        }
        let rendered = RenderedStatus::new(status.clone());
        if statuses.len() >= CAPACITY {
            statuses.clear();
        }
        statuses.insert(status.request_id, (status, rendered.clone()));
        rendered
    }
}

impl RenderedStatus {
    fn new(status: RunStatus) -> RenderedStatus {
        let mut event = String::with_capacity(1024);
        let _ = write!(event, "id: {}\ndata: ", status.revision);
        let start = event.len();
        let body = StatusBody { signature: status.revision.to_string(), status };
        event.push_str(&serde_json::to_string(&body).unwrap_or_default());
        let end = event.len();
        event.push_str("\n\n");
        let event = Bytes::from(event);
        RenderedStatus { body: event.slice(start..end), event }
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
        let cache = StatusCache::default();
        let mut status = queued();
        let first = cache.render(status.clone());
        assert_eq!(cache.render(status.clone()).body.as_ptr(), first.body.as_ptr());
        status.position = Some(1);
        let moved = cache.render(status.clone());
        assert!(moved.body != first.body, "it moved up, at the same revision");
        status.apply(RunEvent::Started, Timestamp::UNIX_EPOCH);
        let event = cache.render(status.clone()).event;
        assert!(
            event.starts_with(format!("id: {}\ndata: {{\"status\":", status.revision).as_bytes())
        );
        assert!(event.ends_with(b"}\n\n"));
    }

    #[test]
    fn a_bounded_number_is_kept() {
        let cache = StatusCache::default();
        for _ in 0..=CAPACITY {
            cache.render(queued());
        }
        assert!(cache.statuses.lock().unwrap().len() <= CAPACITY);
    }
}
