use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tvshows_core::{ShowStore, SnapshotVersion, StoreError};

use crate::etag;
use crate::problem::Problem;

/// Bodies and what they were asked by, in bytes: some twenty thousand shows.
const MOST_BYTES: usize = 32 * 1024 * 1024;

/// What an entry takes beside these: measured with 400,000 small ones.
const ENTRY_BYTES: usize = 256;

/// The answers of one snapshot, as they were sent. Whatever is read of the data goes through here.
#[derive(Default)]
pub(crate) struct Answers {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    snapshot: SnapshotVersion,
    /// By path and query.
    bodies: HashMap<String, Bytes>,
    bytes: usize,
}

impl Answers {
    /// Answers with what was sent for the same path and query before, where the snapshot is still the same, else
    /// with what `read` gives; with 304 to a client that has it. A failure of `read` is not kept.
    pub(crate) async fn answer(
        &self,
        store: &Arc<dyn ShowStore>,
        request: &HttpRequest,
        read: impl Future<Output = Result<Bytes, Problem>>,
    ) -> Result<HttpResponse, Problem> {
        let asked = request.uri().path_and_query().map_or("", |asked| asked.as_str());
        // Before the data: what is published in between is then sent again, and never taken for this.
        let snapshot = store.snapshot().await?;
        let known = self.kept().find(snapshot, asked);
        let body = if let Some(body) = known {
            body
        } else {
            let body = read.await?;
            let outdated = self.kept().keep(snapshot, asked, &body);
            drop(outdated);
            body
        };
        let tag = etag::of_snapshot(&snapshot);
        if let Some(answer) = etag::unchanged(request, &tag) {
            return Ok(answer);
        }
        Ok(etag::mark(HttpResponse::Ok(), tag).content_type("application/json").body(body))
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn find(&self, snapshot: SnapshotVersion, asked: &str) -> Option<Bytes> {
        if self.snapshot == snapshot { self.bodies.get(asked).cloned() } else { None }
    }

    /// Keeps a body that was read while `snapshot` was published, or later. Gives what must make room for it.
    #[must_use]
    fn keep(
        &mut self,
        snapshot: SnapshotVersion,
        asked: &str,
        body: &Bytes,
    ) -> HashMap<String, Bytes> {
        let bytes = asked.len() + body.len() + ENTRY_BYTES;
        let is_full = self.bytes + bytes > MOST_BYTES;
        let mut outdated = HashMap::new();
        if self.snapshot != snapshot || is_full {
            outdated = std::mem::take(&mut self.bodies);
            (self.snapshot, self.bytes) = (snapshot, 0);
        }
        if bytes <= MOST_BYTES && self.bodies.insert(asked.to_owned(), body.clone()).is_none() {
            self.bytes += bytes;
        }
        outdated
    }
}

pub(crate) fn json(data: &impl Serialize) -> Result<Bytes, Problem> {
    let json = serde_json::to_vec(data);
    Ok(json.map_err(|error| StoreError::CorruptRow { what: error.to_string() })?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(number: u64) -> SnapshotVersion {
        SnapshotVersion { number, published_at: None }
    }

    #[test]
    fn what_was_sent_of_another_snapshot_is_not_found() {
        let mut kept = Kept::default();
        let (old, new) = (Bytes::from("old"), Bytes::from("new"));
        assert!(kept.keep(snapshot(1), "/a", &old).is_empty());
        assert_eq!(kept.find(snapshot(1), "/a"), Some(old.clone()));
        assert_eq!(kept.find(snapshot(1), "/b"), None);
        assert_eq!(kept.find(snapshot(2), "/a"), None);
        assert_eq!(kept.keep(snapshot(2), "/b", &new).len(), 1, "the old ones go");
        assert_eq!(kept.find(snapshot(2), "/a"), None);
        assert_eq!(kept.find(snapshot(2), "/b"), Some(new));
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut kept = Kept::default();
        let body = Bytes::from(vec![0; MOST_BYTES / 10]);
        for number in 0..1000 {
            drop(kept.keep(snapshot(1), &format!("/{number}"), &body));
            assert!(kept.bytes <= MOST_BYTES);
            assert!(kept.bodies.len() <= 10);
            assert!(
                kept.find(snapshot(1), &format!("/{number}")).is_some(),
                "the last one is kept"
            );
        }
        drop(kept.keep(snapshot(1), "/large", &Bytes::from(vec![0; MOST_BYTES])));
        assert!(kept.find(snapshot(1), "/large").is_none());
        assert_eq!(kept.bytes, 0);
    }
}
