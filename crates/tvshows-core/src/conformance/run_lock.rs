//! The promises of every [`RunLock`].

#![expect(clippy::missing_panics_doc, reason = "a broken promise panics: this is a test suite")]

use crate::{LockExpiry, RunLock};

pub async fn one_holder_at_a_time(lock: &dyn RunLock) {
    let acquire = async |holder| lock.acquire(holder, None).await.expect("acquire");
    let holder = async || lock.holder().await.expect("holder");
    assert_eq!(holder().await, None);
    assert!(acquire("a").await);
    assert!(acquire("a").await, "the holder has it already");
    assert_eq!(holder().await.as_deref(), Some("a"));
    assert!(!acquire("b").await);
    assert!(lock.renew("a").await.expect("renew"));
    assert!(!lock.renew("b").await.expect("renew"));
    lock.release("b").await;
    assert!(!acquire("b").await, "only the holder releases it");
    lock.release("a").await;
    assert_eq!(holder().await, None);
    assert!(acquire("b").await);
    assert!(!acquire("a").await);
}

/// A lock that ends with its process needs no eviction: it is free once the holder is dead.
pub async fn a_dead_holder_is_evicted(lock: &dyn RunLock) {
    if lock.expiry() == LockExpiry::WithProcess {
        return;
    }
    assert!(lock.acquire("a", None).await.expect("acquire"));
    assert!(!lock.acquire("b", Some("c")).await.expect("acquire"));
    assert!(lock.acquire("b", Some("a")).await.expect("acquire"));
    assert!(!lock.acquire("a", None).await.expect("acquire"));
}

/// A lock that ends with its process cannot be lost.
pub async fn a_holder_that_lost_the_lock_cannot_renew_it(lock: &dyn RunLock) {
    if lock.expiry() == LockExpiry::WithProcess {
        return;
    }
    assert!(lock.acquire("a", None).await.expect("acquire"));
    assert!(lock.acquire("b", Some("a")).await.expect("acquire"));
    assert!(!lock.renew("a").await.expect("renew"));
    lock.release("a").await;
    assert_eq!(lock.holder().await.expect("holder").as_deref(), Some("b"));
    assert!(lock.renew("b").await.expect("renew"));
}
