mod memory {
    use tvshows_core::memory::MemoryStore;

    use crate::store::ReplicatedStore;

    async fn new() -> Box<ReplicatedStore<MemoryStore>> {
        ReplicatedStore::new(MemoryStore::default()).await
    }

    tvshows_core::store_conformance!(new);
}
