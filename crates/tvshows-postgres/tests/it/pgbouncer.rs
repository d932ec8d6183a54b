//! The store behind pgbouncer in transaction mode, which gives each transaction any session of the server.

use tvshows_core::conformance::fixtures::show;
use tvshows_core::{SnapshotSource, StoreError};
use tvshows_testkit::{PgBouncer, PostgresServer, eventually};

use crate::support::{Copy, TestStore, publish};

#[tokio::test]
async fn works_through_a_pooler_in_transaction_mode() {
    let server = PostgresServer::shared().await;
    let direct = TestStore::new().await;
    let pooler = PgBouncer::start(server).await;
    let store = direct.behind(&pooler);
    store.migrate().await.unwrap();
    for weight in 0..5 {
        let shows = (1..1500).map(|id| tvshows_core::Show { weight: Some(weight), ..show(id) });
        publish(&store, shows.collect(), &[1, 2]).await;
        // More connections than the pooler has sessions.
        for manifest in futures::future::join_all((0..8).map(|_| store.manifest())).await {
            assert_eq!(manifest.unwrap().shows.len(), 1499);
        }
        let (one, other) = tokio::join!(Copy::full(&store), Copy::full(&direct));
        assert_eq!(one, other);
    }
    assert_eq!(store.integrity_check().await.unwrap(), Vec::<String>::new());
}

#[tokio::test]
async fn the_server_knows_its_tables_after_a_publish_of_many_shows() {
    let direct = TestStore::new().await;
    let pooler = PgBouncer::start(PostgresServer::shared().await).await;
    publish(&direct.behind(&pooler), (1..=10_000).map(show).collect(), &[1, 2]).await;
    let analyzed = "SELECT count(*) > 0 FROM pg_stats WHERE tablename = '_show_versions'";
    assert_eq!(direct.psql(analyzed).await, "t");
    let visible = "SELECT relallvisible > 0 FROM pg_class WHERE relname = '_show_versions'";
    assert_eq!(direct.psql(visible).await, "t");
}

#[tokio::test]
async fn a_stopped_server_behind_a_pooler_is_unavailable_and_then_used_again() {
    let server = PostgresServer::start().await;
    let direct = TestStore::on(&server).await;
    let pooler = PgBouncer::start(&server).await;
    // From now on, it accepts new connections without its server.
    direct.behind(&pooler).position().await.unwrap();
    server.stop().await;
    let store = direct.behind(&pooler);
    eventually(async || match store.position().await {
        Err(StoreError::Unreachable { source, .. }) => source.to_string().contains("login"),
        result => panic!("{result:?}"),
    })
    .await;
    server.restart().await;
    eventually(async || store.position().await.is_ok()).await;
}
