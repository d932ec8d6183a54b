use tvshows_core::{RunQueue, SnapshotSource, StoreError};
use tvshows_postgres::{PostgresStore, Schema};
use tvshows_testkit::PostgresServer;

use crate::support::TestStore;

#[tokio::test]
async fn processes_that_migrate_at_the_same_time_do_so_once() {
    let url = PostgresServer::shared().await.create_database().await;
    let stores: Vec<_> = (0..4).map(|_| PostgresStore::new(&url).unwrap()).collect();
    assert_eq!(stores[0].schema().await.unwrap().version, 0);
    let migrations = stores.iter().map(PostgresStore::migrate);
    for migrated in futures::future::join_all(migrations).await {
        migrated.unwrap();
    }
    let schema = stores[0].schema().await.unwrap();
    assert_eq!(schema.version, Schema::CURRENT);
    assert!(!schema.is_outdated());
    let positions = stores.iter().map(SnapshotSource::position);
    let ids = futures::future::join_all(positions).await;
    assert!(ids.iter().all(|position| position.as_ref().unwrap().version.number == 0));
}

#[tokio::test]
async fn an_empty_database_and_one_of_a_later_release_are_refused() {
    let url = PostgresServer::shared().await.create_database().await;
    let reason = PostgresStore::connect(&url).await.err().unwrap().to_string();
    assert!(reason.contains("tvshows migrate"), "{reason}");
    let empty = PostgresStore::new(&url).unwrap().position().await.unwrap_err().to_string();
    assert!(empty.contains("tvshows migrate"), "{empty}");

    let store = TestStore::new().await;
    store.psql("UPDATE _schema_version SET version = 99").await;
    PostgresStore::connect(&store.url).await.unwrap();
    store.psql("UPDATE _schema_version SET oldest_reader = 99").await;
    let reason = PostgresStore::connect(&store.url).await.err().unwrap().to_string();
    assert!(reason.contains("install a later release"), "{reason}");
    store.migrate().await.unwrap();
    assert_eq!(store.schema().await.unwrap().version, 99, "it was left alone");
}

#[tokio::test]
async fn a_database_with_tables_of_another_program_is_refused_and_not_changed() {
    let server = PostgresServer::shared().await;
    let url = server.create_database().await;
    server.psql(&url, "CREATE TABLE runs (id int)").await;
    let store = PostgresStore::new(&url).unwrap();
    let reason = store.migrate().await.unwrap_err().to_string();
    assert!(reason.contains("\"runs\"") && reason.contains("of its own"), "{reason}");
    let tables = "SELECT string_agg(relname, ',' ORDER BY relname) FROM pg_class \
                  WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')";
    assert_eq!(server.psql(&url, tables).await, "_schema_version,runs");
}

#[tokio::test]
async fn a_server_that_cannot_be_used_is_named_with_what_to_do() {
    let server = PostgresServer::shared().await;
    let url = server.url("no_such_database");
    let error = PostgresStore::connect(&url).await.err().unwrap();
    assert!(matches!(error, StoreError::InvalidDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("CREATE DATABASE"), "{error}");

    let store = TestStore::new().await;
    let name = store.url.rsplit('/').next().unwrap();
    store.psql(&format!("ALTER DATABASE {name} SET default_transaction_read_only = on")).await;
    let other = store.other();
    let status = tvshows_core::conformance::fixtures::running();
    match other.save_status(&status).await {
        Err(StoreError::Unreachable { source, .. }) => {
            assert!(source.to_string().contains("is read-only"), "{source}");
        }
        result => panic!("{result:?}"),
    }
    let reset = format!("ALTER DATABASE {name} RESET default_transaction_read_only");
    server.psql(&server.url("postgres"), &reset).await;
    other.save_status(&status).await.expect("it has connected again");

    let closed = tvshows_testkit::free_port();
    let store = PostgresStore::new(&format!("postgres://u:secret@127.0.0.1:{closed}/d")).unwrap();
    let error = store.position().await.unwrap_err();
    assert!(error.is_transient(), "{error:?}");
    assert_eq!(error.to_string(), format!("PostgreSQL at 127.0.0.1:{closed} is unavailable"));
    assert!(!format!("{error:?}").contains("secret"));
}

#[tokio::test]
async fn a_server_without_a_trusted_certificate_is_refused() {
    let server = PostgresServer::start().await;
    let url = server.create_database().await.replace("127.0.0.1", "localhost");
    let url = format!("{url}?sslmode=verify-full");
    let error = PostgresStore::connect(&url).await.err().unwrap().to_string();
    assert!(error.contains("TLS") && error.contains("sslmode=disable"), "{error}");
    server.enable_tls().await;
    server.stop().await;
    server.restart().await;
    let error = PostgresStore::connect(&url).await.err().unwrap().to_string();
    assert!(error.contains("cannot be trusted") && error.contains("SSL_CERT_FILE"), "{error}");
}

#[tokio::test]
async fn a_wrong_password_is_an_error_to_fix_and_is_not_repeated() {
    let server = PostgresServer::start().await;
    let access = server.data_folder().join("pg_hba.conf");
    let rules = std::fs::read_to_string(&access).unwrap();
    std::fs::write(&access, format!("host all reader 127.0.0.1/32 scram-sha-256\n{rules}"))
        .unwrap();
    let url = server.create_database().await;
    server.psql(&url, "CREATE ROLE reader LOGIN PASSWORD 'correct'").await;
    server.psql(&url, "SELECT pg_reload_conf()").await;
    server.stop().await;
    server.restart().await;
    let login = |password: &str| url.replace("postgres:secret", &format!("reader:{password}"));
    let error = PostgresStore::connect(&login("incorrect")).await.err().unwrap();
    assert!(matches!(error, StoreError::InvalidDatabase { .. }), "{error:?}");
    assert!(error.to_string().contains("the user and the password in DATABASE_URL"), "{error}");
    assert!(!format!("{error:?}").contains("incorrect"));
    let error = PostgresStore::connect(&login("correct")).await.err().unwrap();
    assert!(error.to_string().contains("tvshows migrate"), "it is let in: {error}");
}
