mod postgres {
    use tvshows_postgres::PostgresStore;

    use crate::postgres::new_database;
    use crate::store::ReplicatedStore;

    async fn new() -> Box<ReplicatedStore<PostgresStore>> {
        ReplicatedStore::new(new_database().await.0).await
    }

    tvshows_core::store_conformance!(new);
}

mod memory {
    use tvshows_core::memory::MemoryStore;

    use crate::store::ReplicatedStore;

    async fn new() -> Box<ReplicatedStore<MemoryStore>> {
        ReplicatedStore::new(MemoryStore::default()).await
    }

    tvshows_core::store_conformance!(new);
}
