use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use tokio::sync::Mutex as AsyncMutex;
use tokio::time::timeout;
use tvshows_core::{Catalog, SnapshotVersion, StoreError};

use super::etag;
use crate::problem::Problem;

/// Cache budget in bytes (keys and bodies), about 10,000 shows.
const CAPACITY_BYTES: usize = 16 * 1024 * 1024;

/// The memory of an entry in addition to its key and body, measured with 400,000 small entries.
const ENTRY_OVERHEAD: usize = 256;

/// How many responses that different requests wait for are rendered at the same time.
const RENDERING_LOCKS: usize = 64;
/// How long a request waits for another one to render its response, before it does so itself.
const RENDERING_TIMEOUT: Duration = Duration::from_secs(5);

/// Caches the responses rendered from the published snapshot.
pub(crate) struct ResponseCache {
    entries: Mutex<Entries>,
    /// Held while a response is rendered, so that simultaneous requests for it share the result. By hash of the key.
    rendering: [AsyncMutex<()>; RENDERING_LOCKS],
}

impl Default for ResponseCache {
    fn default() -> ResponseCache {
        let rendering = std::array::from_fn(|_| AsyncMutex::default());
        ResponseCache { entries: Mutex::default(), rendering }
    }
}

#[derive(Default)]
struct Entries {
    snapshot: SnapshotVersion,
    /// By path and query.
    bodies: HashMap<String, Bytes>,
    bytes: usize,
}

impl ResponseCache {
    /// The response to `request`: 304 if the client has the current snapshot, otherwise the cached body, or else the
    /// one that `render` returns. Errors are not cached.
    pub(crate) async fn get_or_render(
        &self,
        catalog: &Arc<dyn Catalog>,
        request: &HttpRequest,
        render: impl Future<Output = Result<Bytes, Problem>>,
    ) -> Result<HttpResponse, Problem> {
        let key = request.uri().path_and_query().map_or("", |key| key.as_str());
        // Read before the data, so that an entry can be newer than its version but never older.
        let snapshot = catalog.snapshot_version().await?;
        let cached = self.entries().get(snapshot, key);
        let body = match cached {
            Some(body) => body,
            None => self.render_once(snapshot, key, render).await?,
        };
        if let Some(response) = etag::same_snapshot(request, snapshot) {
            return Ok(response);
        }
        let mut response = etag::with_snapshot(HttpResponse::Ok(), snapshot);
        Ok(response.content_type("application/json").body(body))
    }

    async fn render_once(
        &self,
        snapshot: SnapshotVersion,
        key: &str,
        render: impl Future<Output = Result<Bytes, Problem>>,
    ) -> Result<Bytes, Problem> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let lock = hasher.finish() % RENDERING_LOCKS as u64;
        let lock = &self.rendering[usize::try_from(lock).unwrap_or_default()];
        let _rendering = timeout(RENDERING_TIMEOUT, lock.lock()).await;
        let cached = self.entries().get(snapshot, key);
        if let Some(body) = cached {
            return Ok(body);
        }
        let body = render.await?;
        let evicted = self.entries().insert(snapshot, key, &body);
        drop(evicted);
        Ok(body)
    }

    fn entries(&self) -> MutexGuard<'_, Entries> {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Entries {
    fn get(&self, snapshot: SnapshotVersion, key: &str) -> Option<Bytes> {
        if self.snapshot == snapshot { self.bodies.get(key).cloned() } else { None }
    }

    /// Returns the evicted entries, so that the caller can drop them outside the lock.
    #[must_use]
    fn insert(
        &mut self,
        snapshot: SnapshotVersion,
        key: &str,
        body: &Bytes,
    ) -> HashMap<String, Bytes> {
        let bytes = key.len() + body.len() + ENTRY_OVERHEAD;
        let is_full = self.bytes + bytes > CAPACITY_BYTES;
        let mut evicted = HashMap::new();
        if self.snapshot != snapshot || is_full {
            evicted = std::mem::take(&mut self.bodies);
            (self.snapshot, self.bytes) = (snapshot, 0);
        }
        if bytes <= CAPACITY_BYTES && self.bodies.insert(key.to_owned(), body.clone()).is_none() {
            self.bytes += bytes;
        }
        evicted
    }
}

pub(crate) fn json(data: &impl Serialize) -> Result<Bytes, Problem> {
    let json = serde_json::to_vec(data);
    let json = json.map_err(|error| StoreError::CorruptRow { what: error.to_string() })?;
    // Without spare capacity, which would be cached as well.
    Ok(json.into_boxed_slice().into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(number: u64) -> SnapshotVersion {
        SnapshotVersion { number, published_at: None }
    }

    #[test]
    fn what_was_sent_of_another_snapshot_is_not_found() {
        let mut entries = Entries::default();
        let (old, new) = (Bytes::from("old"), Bytes::from("new"));
        assert!(entries.insert(snapshot(1), "/a", &old).is_empty());
        assert_eq!(entries.get(snapshot(1), "/a"), Some(old.clone()));
        assert_eq!(entries.get(snapshot(1), "/b"), None);
        assert_eq!(entries.get(snapshot(2), "/a"), None);
        assert_eq!(entries.insert(snapshot(2), "/b", &new).len(), 1, "the old snapshot is evicted");
        assert_eq!(entries.get(snapshot(2), "/a"), None);
        assert_eq!(entries.get(snapshot(2), "/b"), Some(new));
    }

    #[actix_web::test]
    async fn simultaneous_requests_share_a_rendering() {
        let (cache, renderings) = (ResponseCache::default(), std::cell::Cell::new(0));
        let request = || {
            cache.render_once(snapshot(1), "/a", async {
                renderings.set(renderings.get() + 1);
                tokio::task::yield_now().await;
                Ok(Bytes::from("a"))
            })
        };
        let bodies = futures::future::join_all((0..100).map(|_| request())).await;
        assert!(bodies.iter().all(|body| body.as_ref().unwrap() == "a"));
        assert_eq!(renderings.get(), 1);
    }

    #[test]
    fn no_more_is_kept_than_there_is_room_for() {
        let mut entries = Entries::default();
        let body = Bytes::from(vec![0; CAPACITY_BYTES / 10]);
        for number in 0..1000 {
            drop(entries.insert(snapshot(1), &format!("/{number}"), &body));
            assert!(entries.bytes <= CAPACITY_BYTES);
            assert!(entries.bodies.len() <= 10);
            assert!(
                entries.get(snapshot(1), &format!("/{number}")).is_some(),
                "the newest entry is cached"
            );
        }
        drop(entries.insert(snapshot(1), "/large", &Bytes::from(vec![0; CAPACITY_BYTES])));
        assert!(entries.get(snapshot(1), "/large").is_none());
        assert_eq!(entries.bytes, 0);
    }
}
