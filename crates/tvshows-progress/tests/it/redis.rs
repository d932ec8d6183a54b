use std::collections::HashMap;
use std::ops::Deref;

use deadpool_redis::redis::{self, AsyncCommands};
use tvshows_core::conformance::fixtures::{after, running};
use tvshows_core::{
    ChangeCounts, LOCK_TTL, LockExpiry, ProgressTracker, RunEvent, RunLock, TrackerError,
};
use tvshows_progress::{ENDED_RUN_TTL, LIVE_RUN_TTL, RedisLease, RedisTracker};

use tvshows_testkit::RedisServer;

/// A tracker and its server.
struct Served {
    tracker: RedisTracker,
    server: RedisServer,
}

impl Deref for Served {
    type Target = RedisTracker;

    fn deref(&self) -> &RedisTracker {
        &self.tracker
    }
}

async fn new() -> Served {
    let server = RedisServer::start().await;
    Served { tracker: RedisTracker::new(&server.url()).unwrap(), server }
}

tvshows_core::progress_tracker_conformance!(new);

mod lease {
    use super::{Deref, RedisLease, RedisServer, RedisTracker};

    struct Served {
        lease: RedisLease,
        _server: RedisServer,
    }

    impl Deref for Served {
        type Target = RedisLease;

        fn deref(&self) -> &RedisLease {
            &self.lease
        }
    }

    async fn new() -> Served {
        let server = RedisServer::start().await;
        let lease = RedisTracker::new(&server.url()).unwrap().run_lock("a database");
        Served { lease, _server: server }
    }

    tvshows_core::run_lock_conformance!(new);
}

async fn raw(url: &str) -> redis::aio::MultiplexedConnection {
    redis::Client::open(url).unwrap().get_multiplexed_async_connection().await.unwrap()
}

#[tokio::test]
async fn a_run_is_a_hash_that_a_person_can_read() {
    let served = new().await;
    let status = after(&running(), RunEvent::Failed("page 7: 500".into()));
    served.publish_status(&status).await.unwrap();
    let key = format!("pipeline:{}", status.request_id);
    let hash: HashMap<String, String> =
        raw(&served.server.url()).await.hgetall(&key).await.unwrap();
    assert_eq!(hash["running"], "false");
    assert_eq!(hash["step"], "Planning");
    assert_eq!(hash["progress"], "0");
    assert_eq!(hash["error"], "page 7: 500");
    assert_eq!(hash["eta_seconds"], "");
}

#[tokio::test]
async fn a_run_expires_and_an_ended_one_lasts_longer() {
    let served = new().await;
    let mut redis = raw(&served.server.url()).await;
    let status = running();
    let key = format!("pipeline:{}", status.request_id);
    for (status, ttl) in [
        (status.clone(), LIVE_RUN_TTL),
        (after(&status, RunEvent::Succeeded(ChangeCounts::default())), ENDED_RUN_TTL),
    ] {
        served.publish_status(&status).await.unwrap();
        let seconds = i64::try_from(ttl.as_secs()).unwrap();
        let left: i64 = redis.ttl(&key).await.unwrap();
        assert!((seconds - 60..=seconds).contains(&left), "{left} of {seconds}");
    }
}

#[tokio::test]
async fn every_change_is_published() {
    let served = new().await;
    let status = running();
    let client = redis::Client::open(served.server.url()).unwrap();
    let (mut sink, mut messages) = client.get_async_pubsub().await.unwrap().split();
    sink.subscribe(format!("pipeline:{}", status.request_id)).await.unwrap();
    served.publish_status(&status).await.unwrap();
    served
        .publish_status(&after(&status, RunEvent::PagesStaged { pages: 1, shows: 5 }))
        .await
        .unwrap();
    for revision in [status.revision, status.revision + 1] {
        let message = futures::StreamExt::next(&mut messages).await.unwrap();
        assert_eq!(message.get_payload::<u64>().unwrap(), revision);
    }
}

#[tokio::test]
async fn a_server_that_was_unavailable_is_used_again() {
    let Served { tracker, server } = new().await;
    let status = running();
    tracker.publish_status(&status).await.unwrap();
    let port = server.kill().await;
    let error = tracker
        .publish_status(&after(&status, RunEvent::PagesStaged { pages: 1, shows: 1 }))
        .await
        .unwrap_err();
    assert!(matches!(error, TrackerError::Unavailable { .. }), "{error:?}");
    let _server = RedisServer::start_on(port).await.expect("the port is free again");
    let later = after(&status, RunEvent::PagesStaged { pages: 1, shows: 2 });
    assert!(tracker.publish_status(&later).await.unwrap());
    assert_eq!(tracker.status(status.request_id).await.unwrap(), Some(later), "wholly, not a part");
}

#[tokio::test]
async fn a_server_without_memory_is_unhealthy() {
    let served = new().await;
    served.health().await.unwrap();
    let mut redis = raw(&served.server.url()).await;
    let mut limit = redis::cmd("CONFIG");
    limit.arg("SET").arg("maxmemory").arg(1).query_async::<()>(&mut redis).await.unwrap();
    assert!(served.health().await.is_err(), "it replies, and rejects writes");
}

#[tokio::test]
async fn a_hash_of_somebody_else_is_an_error_not_a_panic() {
    let served = new().await;
    let status = running();
    let key = format!("pipeline:{}", status.request_id);
    let mut redis = raw(&served.server.url()).await;
    redis.hset::<_, _, _, ()>(&key, "progress", "many").await.unwrap();
    let error = served.status(status.request_id).await.unwrap_err();
    assert!(matches!(error, TrackerError::InvalidStatus { .. }), "{error:?}");
}

#[test]
fn a_wrong_url_is_refused_without_being_repeated() {
    let error = RedisTracker::new("mysql://admin:secret@host").err().unwrap();
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn a_lease_is_per_database_and_expires() {
    let served = new().await;
    let (one, other) = (served.run_lock("one"), served.run_lock("other"));
    assert!(one.acquire("a", None).await.unwrap());
    assert!(other.acquire("b", None).await.unwrap());
    assert_eq!(one.expiry(), LockExpiry::After(LOCK_TTL));
    let mut redis = raw(&served.server.url()).await;
    let holder: String = redis.get("pipeline:lease:one").await.unwrap();
    let milliseconds: u128 = redis.pttl("pipeline:lease:one").await.unwrap();
    assert_eq!(holder, "a");
    assert!(milliseconds <= LOCK_TTL.as_millis() && milliseconds > 0, "{milliseconds}");
}
