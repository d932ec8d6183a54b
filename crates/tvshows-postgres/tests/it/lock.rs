use tvshows_core::conformance::fixtures::running;
use tvshows_core::{LockExpiry, RunLock, RunQueue, RunState};

use crate::support::{TestStore, begin};

async fn new() -> Box<TestStore> {
    Box::new(TestStore::new().await)
}

mod conformance {
    use tvshows_core::RunLock;

    use super::TestStore;

    async fn new() -> Box<dyn RunLock> {
        Box::new(TestStore::new().await.store)
    }

    tvshows_core::run_lock_conformance!(new);
}

#[tokio::test]
async fn a_lock_that_is_not_renewed_expires_by_the_clock_of_the_database() {
    let store = new().await;
    let other = store.other();
    assert!(matches!(store.expiry(), LockExpiry::After(_)));
    assert!(store.acquire("a", None).await.unwrap());
    assert!(!other.acquire("b", None).await.unwrap());
    store.psql("UPDATE _run_lock SET until = clock_timestamp() - interval '1 ms'").await;
    assert_eq!(other.holder().await.unwrap(), None);
    assert!(store.renew("a").await.unwrap(), "nobody else has taken it");
    store.psql("UPDATE _run_lock SET until = clock_timestamp() - interval '1 ms'").await;
    assert!(other.acquire("b", None).await.unwrap());
    assert!(!store.renew("a").await.unwrap());
    store.release("a").await;
    assert_eq!(store.holder().await.unwrap().as_deref(), Some("b"));
}

#[tokio::test]
async fn a_lock_expires_although_the_clock_of_the_database_was_set_back() {
    let store = new().await;
    let status = running();
    begin(&store, &status).await;
    let state = async || store.get(status.request_id).await.unwrap().unwrap().state;
    store.psql("UPDATE _run_lock SET until = until + interval '15 s'").await;
    assert_eq!(store.holder().await.unwrap(), Some(status.instance.clone()));
    assert_eq!(state().await, RunState::Running);
    store.psql("UPDATE _run_lock SET until = until + interval '1 day'").await;
    assert_eq!(store.holder().await.unwrap(), None);
    assert_eq!(state().await, RunState::Interrupted);
    assert!(store.acquire("there", None).await.unwrap());
    assert_eq!(store.holder().await.unwrap().as_deref(), Some("there"));
}
