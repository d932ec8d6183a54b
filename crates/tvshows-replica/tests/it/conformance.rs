mod postgres {
    use tvshows_postgres::PostgresStore;

    use crate::postgres::new_database;
    use crate::store::ReplicatedStore;

    async fn new() -> Box<ReplicatedStore<PostgresStore>> {
        ReplicatedStore::new(new_database().await.0).await
    }

    tvshows_core::store_conformance!(new);
}

/// Behind a pooler in transaction mode.
mod pgbouncer {
    use tvshows_postgres::PostgresStore;
    use tvshows_testkit::{PgBouncer, PostgresServer};

    use crate::postgres::new_database;
    use crate::store::ReplicatedStore;

    async fn new() -> Box<ReplicatedStore<PostgresStore>> {
        let pooler = PgBouncer::start(PostgresServer::shared().await).await;
        let (_, url) = new_database().await;
        let (_, database) = url.rsplit_once('/').unwrap();
        let source = PostgresStore::new(&pooler.url(database)).unwrap();
        ReplicatedStore::behind(Some(pooler), source).await
    }

    tvshows_core::conformance_tests! { details, new:
        details_are_seen_with_the_snapshot
        episodes_are_found_by_their_keys
        an_episode_of_two_shows_is_that_of_the_first
        details_stay_until_others_are_staged_or_the_show_is_not_chosen
        staged_details_survive_an_interruption
        unchanged_details_keep_the_snapshot
        a_filter_chooses_from_the_next_snapshot
        a_facet_that_is_no_text_is_missing
        a_schedule_has_the_episodes_of_its_days_and_shows
    }
}

mod memory {
    use tvshows_core::memory::MemoryStore;

    use crate::store::ReplicatedStore;

    async fn new() -> Box<ReplicatedStore<MemoryStore>> {
        ReplicatedStore::new(MemoryStore::default()).await
    }

    tvshows_core::store_conformance!(new);
}
