//! Replicas of two releases.

use tvshows_testkit::eventually;

use super::{Replicas, read_all, update, wait_for_copies};

#[tokio::test]
async fn replicas_share_a_database_that_a_later_release_has_extended() {
    let replicas = Replicas::new(&[]).await;
    let a = replicas.start("a").await;
    update(&a, 3).await;
    replicas.sql("ALTER TABLE _runs ADD COLUMN later text NOT NULL DEFAULT 'x'").await;
    replicas.sql("ALTER TABLE _show_versions ADD COLUMN later text").await;
    replicas.sql("UPDATE _schema_version SET version = version + 1").await;
    update(&a, 4).await;
    wait_for_copies(&[&a], 4).await;
    let b = replicas.start("b").await;
    update(&b, 5).await;
    wait_for_copies(&[&a, &b], 5).await;
    assert!(replicas.content("a") == replicas.content("b"));
}

#[tokio::test]
async fn a_replica_that_is_too_old_for_the_database_serves_its_copy_and_works_on_nothing() {
    let replicas = Replicas::new(&[]).await;
    let services = [replicas.start("a").await, replicas.start("b").await];
    update(&services[0], 3).await;
    wait_for_copies(&services.each_ref(), 3).await;
    let later = "UPDATE _schema_version SET version = version + 1, oldest_reader = version + 1";
    replicas.sql(later).await;
    let refused = replicas.command("c").output().await.unwrap();
    assert!(!refused.status.success());
    let error = String::from_utf8(refused.stderr).unwrap();
    assert!(error.contains("later release"), "{error}");

    eventually(async || services[0].json("/health/ready").await["status"] == "degraded").await;
    assert_eq!(read_all(&services).await, [200; 12]);
    let refused = services[1].post("/pipeline/update?top=4").send().await.unwrap();
    assert_eq!(refused.status(), 503);
    assert_eq!(replicas.run_states().await, ["succeeded"]);
}
