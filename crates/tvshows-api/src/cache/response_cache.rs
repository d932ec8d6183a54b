use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use actix_web::{HttpRequest, HttpResponse};
use futures::TryFutureExt;
use moka::future::Cache;
use tokio::time::sleep;
use tvshows_core::{Catalog, ExternalDatabase, ExternalId, SnapshotVersion, StoreError};

use super::cached_body::CachedBody;
use super::etag;
use crate::content::Content;
use crate::problem::Problem;

/// Cache budget in bytes (keys and bodies), about 25,000 shows in lists.
const CAPACITY_BYTES: u64 = 8 * 1024 * 1024;

/// The memory of an entry in addition to its key and body, measured with 400,000 small entries.
const ENTRY_OVERHEAD: usize = 512;

/// How often to check whether a new snapshot is published.
const SNAPSHOT_POLL_INTERVAL: Duration = Duration::from_millis(100);
/// How long to wait before rendering again what could not be read.
const WARM_UP_RETRY_DELAY: Duration = Duration::from_secs(1);

/// Caches the responses rendered from the published snapshot.
pub struct ResponseCache {
    catalog: Arc<dyn Catalog>,
    bodies: Cache<Key, CachedBody>,
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Key {
    snapshot: SnapshotVersion,
    content: String,
}

impl ResponseCache {
    /// An empty cache of what `catalog` has published.
    #[must_use]
    pub fn new(catalog: Arc<dyn Catalog>) -> Arc<ResponseCache> {
        ResponseCache::with_capacity(catalog, CAPACITY_BYTES)
    }

    fn with_capacity(catalog: Arc<dyn Catalog>, capacity: u64) -> Arc<ResponseCache> {
        let bodies = Cache::builder().max_capacity(capacity).weigher(weight).build();
        Arc::new(ResponseCache { catalog, bodies })
    }

    /// Renders what clients request first of each new snapshot, and then drops the responses of the previous one.
    pub async fn keep_warm(&self) -> Infallible {
        let mut warm = None;
        loop {
            let mut delay = SNAPSHOT_POLL_INTERVAL;
            if let Ok(snapshot) = self.catalog.snapshot_version().await
                && warm != Some(snapshot)
            {
                match self.warm_up(snapshot).await {
                    Ok(()) => warm = Some(snapshot),
                    // The requests report it.
                    Err(_) => delay = WARM_UP_RETRY_DELAY,
                }
            }
            sleep(delay).await;
        }
    }

    async fn warm_up(&self, snapshot: SnapshotVersion) -> Result<(), Problem> {
        for content in Content::requested_first() {
            self.get_or_render(snapshot, content).await?;
        }
        // The first lookup in a snapshot reads the ids of all shows in other databases.
        if let Ok(id) = ExternalId::parse(ExternalDatabase::Tvrage, "0") {
            self.catalog.show(id.into()).await?;
        }
        let keys = self.bodies.iter().map(|(key, _)| key);
        let replaced: Vec<_> = keys.filter(|key| key.snapshot != snapshot).collect();
        for key in replaced {
            self.bodies.invalidate(key.as_ref()).await;
        }
        self.bodies.run_pending_tasks().await;
        Ok(())
    }

    /// The response to `request`: 304 if the client has the current snapshot, otherwise the body.
    pub(crate) async fn respond(
        &self,
        request: &HttpRequest,
        content: Content,
    ) -> Result<HttpResponse, Problem> {
        // Read before the data, so that an entry can be newer than its version but never older.
        let snapshot = self.catalog.snapshot_version().await?;
        let (day, content_type) = (content.first_day(), content.content_type());
        let unchanged = || etag::same_snapshot(request, snapshot, day);
        let may_be_missing = content.may_be_missing();
        if !may_be_missing && let Some(response) = unchanged() {
            return Ok(response);
        }
        let body = self.get_or_render(snapshot, content).await?;
        if may_be_missing && let Some(response) = unchanged() {
            return Ok(response);
        }
        let mut response = etag::with_snapshot(HttpResponse::Ok(), snapshot, day);
        response.content_type(content_type);
        let response = body.send(request, response).await;
        response.map_err(|error| StoreError::CorruptRow { what: error.to_string() }.into())
    }

    /// The cached body, or else one that is rendered once for all requests that wait for it. Errors are not cached.
    async fn get_or_render(
        &self,
        snapshot: SnapshotVersion,
        content: Content,
    ) -> Result<CachedBody, Problem> {
        let key = Key { snapshot, content: content.cache_key() };
        if let Some(body) = self.bodies.get(&key).await {
            return Ok(body);
        }
        let render = content.render(self.catalog.as_ref()).map_ok(CachedBody::new);
        let entry = self.bodies.entry(key).or_try_insert_with(render).await;
        let entry = entry.map_err(Problem::Shared)?;
        if entry.is_fresh() {
            // Otherwise many large bodies could wait for their eviction.
            self.bodies.run_pending_tasks().await;
        }
        Ok(entry.into_value())
    }
}

/// The memory that an entry takes.
fn weight(key: &Key, body: &CachedBody) -> u32 {
    let bytes = key.content.len() + body.len() + ENTRY_OVERHEAD;
    u32::try_from(bytes).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::Ordering::Relaxed;

    use actix_web::http::StatusCode;
    use actix_web::http::header::{ETAG, IF_NONE_MATCH};
    use actix_web::test::TestRequest;
    use futures::future::join_all;
    use jiff::civil::date;
    use tokio::time::timeout;
    use tvshows_core::{ScheduleQuery, ShowFilter, ShowId};

    use super::*;
    use crate::testing::TestCatalog;

    async fn published(shows: u32) -> (Arc<TestCatalog>, Arc<ResponseCache>) {
        let catalog = Arc::new(TestCatalog::default());
        catalog.publish(shows).await;
        (catalog.clone(), ResponseCache::new(catalog))
    }

    impl ResponseCache {
        async fn get(&self, content: Content) -> Result<CachedBody, Problem> {
            let snapshot = self.catalog.snapshot_version().await?;
            self.get_or_render(snapshot, content).await
        }

        fn snapshots(&self) -> Vec<u64> {
            self.bodies.iter().map(|(key, _)| key.snapshot.number).collect()
        }
    }

    #[tokio::test]
    async fn simultaneous_requests_share_a_rendering() {
        let (catalog, cache) = published(1).await;
        let bodies = join_all((0..100).map(|_| cache.get(Content::Stats))).await;
        assert!(bodies.windows(2).all(|pair| match pair {
            [Ok(CachedBody::Plain(one)), Ok(CachedBody::Plain(other))] => {
                one.as_ptr() == other.as_ptr()
            }
            _ => false,
        }));
        assert_eq!(catalog.reads(), 1);
        cache.get(Content::Stats).await.unwrap();
        assert_eq!(catalog.reads(), 1);
    }

    #[tokio::test]
    async fn an_error_is_shared_and_not_cached() {
        let (catalog, cache) = published(1).await;
        catalog.is_failing.store(true, Relaxed);
        let errors = join_all((0..100).map(|_| cache.get(Content::Stats))).await;
        for error in &errors {
            let error = error.as_ref().unwrap_err();
            assert_eq!(error.code(), "store_unavailable");
            assert!(matches!(error.unshared(), Problem::Store(_)));
        }
        assert_eq!(catalog.reads(), 1);
        catalog.is_failing.store(false, Relaxed);
        cache.get(Content::Stats).await.unwrap();
        let missing = cache.get(Content::Show(ShowId(2))).await.unwrap_err();
        assert!(matches!(missing.unshared(), Problem::ShowNotFound(ShowId(2))));
        assert_eq!(cache.bodies.iter().count(), 1);
    }

    #[tokio::test]
    async fn another_request_renders_if_the_first_client_leaves() {
        let (catalog, cache) = published(1).await;
        let mut first = Box::pin(cache.get(Content::Stats));
        assert!(futures::poll!(first.as_mut()).is_pending());
        let mut second = Box::pin(cache.get(Content::Stats));
        assert!(futures::poll!(second.as_mut()).is_pending());
        assert_eq!(catalog.reads(), 1, "the second waits");
        drop(first);
        second.await.unwrap();
        assert_eq!(catalog.reads(), 2);
    }

    #[tokio::test]
    async fn what_a_client_has_is_not_rendered() {
        let (catalog, cache) = published(1).await;
        let [first, last] = [date(2026, 11, 24), date(2026, 11, 30)];
        let schedule = || Box::new(ScheduleQuery { filter: ShowFilter::default(), first, last });
        let contents = || {
            let lists = Content::requested_first();
            lists.chain([Content::Schedule(schedule()), Content::Calendar(schedule())])
        };
        for (content, same) in contents().zip(contents()) {
            let key = content.cache_key();
            let request = TestRequest::default().to_http_request();
            let response = cache.respond(&request, content).await.unwrap();
            let tag = response.headers().get(ETAG).unwrap().clone();
            cache.bodies.invalidate_all();
            let reads = catalog.reads();
            let request = TestRequest::default().insert_header((IF_NONE_MATCH, tag));
            let response = cache.respond(&request.to_http_request(), same).await.unwrap();
            assert_eq!(response.status(), StatusCode::NOT_MODIFIED, "{key}");
            assert_eq!(catalog.reads(), reads, "{key}");
        }
        let request = TestRequest::default().insert_header((IF_NONE_MATCH, "*")).to_http_request();
        let missing = cache.respond(&request, Content::Show(ShowId(2))).await.unwrap_err();
        assert_eq!(missing.code(), "show_not_found", "a tag does not say that it exists");
        let show = cache.respond(&request, Content::Show(ShowId(1))).await.unwrap();
        assert_eq!(show.status(), StatusCode::NOT_MODIFIED);
    }

    #[tokio::test]
    async fn no_more_is_cached_than_the_capacity() {
        const CAPACITY: u64 = 20_000;
        let catalog = Arc::new(TestCatalog::default());
        catalog.publish(200).await;
        let cache = ResponseCache::with_capacity(catalog.clone(), CAPACITY);
        for id in 1..=200 {
            cache.get(Content::Show(ShowId(id))).await.unwrap();
            let weights = cache.bodies.iter().map(|(key, body)| weight(&key, &body));
            let weight: u32 = weights.sum();
            assert!(u64::from(weight) <= CAPACITY, "{weight}");
        }
        assert!(cache.bodies.entry_count() >= 10);
        let reads = catalog.reads();
        for _ in 0..5 {
            cache.get(Content::Show(ShowId(200))).await.unwrap();
        }
        assert!(catalog.reads() < reads + 5, "what is requested again is cached");
    }

    #[tokio::test]
    async fn a_response_is_never_older_than_its_request() {
        let (catalog, cache) = published(1).await;
        let missing = cache.get(Content::Show(ShowId(2))).await;
        assert!(missing.is_err());
        let before = cache.get(Content::Stats).await.unwrap();
        catalog.publish(2).await;
        assert_ne!(cache.get(Content::Stats).await.unwrap(), before);
        assert!(cache.get(Content::Show(ShowId(2))).await.is_ok());
    }

    #[tokio::test]
    async fn what_is_requested_first_is_rendered_before_the_previous_snapshot_is_dropped() {
        let (catalog, cache) = published(1).await;
        cache.get(Content::Stats).await.unwrap();
        catalog.publish(2).await;
        let snapshot = catalog.snapshot_version().await.unwrap();
        catalog.is_failing.store(true, Relaxed);
        assert!(cache.warm_up(snapshot).await.is_err());
        assert_eq!(cache.snapshots(), [1], "it is still there");
        catalog.is_failing.store(false, Relaxed);
        cache.warm_up(snapshot).await.unwrap();
        assert!(cache.snapshots().iter().all(|number| *number == 2));
        let reads = catalog.reads();
        for content in Content::requested_first() {
            cache.get(content).await.unwrap();
        }
        assert_eq!(catalog.reads(), reads, "nothing is read again");
    }

    #[tokio::test(start_paused = true)]
    async fn each_new_snapshot_is_rendered_once() {
        let (catalog, cache) = published(1).await;
        let count = Content::requested_first().count();
        let reads = count + 1; // and one lookup
        let watching = {
            let catalog = catalog.clone();
            async move {
                for snapshot in 1..4 {
                    sleep(Duration::from_secs(10)).await;
                    assert_eq!(catalog.reads(), snapshot * reads);
                    catalog.publish(1 + u32::try_from(snapshot).unwrap()).await;
                }
            }
        };
        tokio::select! {
            () = watching => {}
            never = cache.keep_warm() => match never {},
        }
        assert!(timeout(Duration::from_secs(1), cache.keep_warm()).await.is_err());
        assert_eq!(cache.snapshots(), vec![4; count]);
    }
}
