use std::collections::BTreeMap;

use futures::StreamExt;
use tvshows_core::conformance::fixtures::{
    WITH_LOCK, at, cast_member, cast_of, pages, running, success,
};
use tvshows_core::{
    RunLock, RunQueue, RunSession, RunStatus, Show, ShowId, SnapshotChanges, SnapshotPosition,
    SnapshotSource, StoredDetails,
};
use tvshows_postgres::PostgresStore;
use tvshows_testkit::{PgBouncer, PostgresServer};

/// A store with a database of its own.
pub(crate) struct TestStore {
    pub(crate) store: PostgresStore,
    pub(crate) url: String,
}

impl std::ops::Deref for TestStore {
    type Target = PostgresStore;

    fn deref(&self) -> &PostgresStore {
        &self.store
    }
}

impl TestStore {
    pub(crate) async fn new() -> TestStore {
        TestStore::on(PostgresServer::shared().await).await
    }

    pub(crate) async fn on(server: &PostgresServer) -> TestStore {
        let url = server.create_database().await;
        let store = PostgresStore::new(&url).unwrap();
        store.migrate().await.unwrap();
        TestStore { store, url }
    }

    /// Another process that uses the same database, through a pooler in transaction mode.
    pub(crate) fn behind(&self, pooler: &PgBouncer) -> PostgresStore {
        let (_, database) = self.url.rsplit_once('/').unwrap();
        PostgresStore::new(&pooler.url(database)).unwrap()
    }

    /// Another process that uses the same database.
    pub(crate) fn other(&self) -> PostgresStore {
        PostgresStore::new(&self.url).unwrap()
    }

    pub(crate) async fn psql(&self, sql: &str) -> String {
        PostgresServer::shared().await.psql(&self.url, sql).await
    }
}

/// Starts an attempt, as the holder of the lock.
pub(crate) async fn begin(store: &PostgresStore, status: &RunStatus) -> Box<dyn RunSession> {
    assert!(store.acquire(&status.instance, None).await.unwrap());
    store.begin(status, WITH_LOCK).await.unwrap()
}

/// A complete run that publishes these shows, with a cast of one person for each show in `top`.
pub(crate) async fn publish(store: &PostgresStore, shows: Vec<Show>, top: &[u32]) -> RunStatus {
    let status = running();
    let session = begin(store, &status).await;
    session.commit(pages(vec![(0, shows)], at(2)), &status).await.unwrap();
    for id in top {
        let cast = vec![cast_member(*id, 1, 10 * id)];
        let show = tvshows_core::conformance::fixtures::show(*id);
        session.commit(cast_of(&show, cast, at(3)), &status).await.unwrap();
    }
    let top: Vec<ShowId> = top.iter().copied().map(ShowId).collect();
    session.publish(&top, &[], at(4), success(&status)).await.unwrap()
}

/// What a copy has.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct Copy {
    pub(crate) position: Option<SnapshotPosition>,
    pub(crate) shows: BTreeMap<ShowId, Show>,
    pub(crate) top: Vec<ShowId>,
    pub(crate) details: BTreeMap<ShowId, StoredDetails>,
}

impl Copy {
    pub(crate) async fn full(store: &PostgresStore) -> Copy {
        let mut copy = Copy::default();
        assert!(copy.update(store).await.is_complete);
        copy
    }

    /// Applies what changed, and returns it without its shows and details.
    pub(crate) async fn update(&mut self, store: &PostgresStore) -> SnapshotChanges {
        let mut changes = store.changes_since(self.position.as_ref()).await.unwrap();
        if changes.is_complete {
            self.shows.clear();
            self.details.clear();
            assert!(changes.deleted.is_empty());
        }
        self.position = Some(changes.target.clone());
        for id in &changes.deleted {
            self.shows.remove(id).expect("a deleted show was there");
        }
        while let Some(batch) = changes.shows.next().await {
            let shows = batch.unwrap().into_iter().map(|stored| (stored.show.id, stored.show));
            self.shows.extend(shows);
        }
        self.top.clone_from(&changes.top);
        while let Some(batch) = changes.details.next().await {
            for mut stored in batch.unwrap() {
                // Not part of the content.
                stored.details.updated = None;
                self.details.insert(stored.details.show_id, stored);
            }
        }
        self.details.retain(|id, _| changes.detailed.contains(id));
        assert!(self.details.keys().eq(&changes.detailed));
        changes
    }
}
