//! `tvshows migrate`.

use tvshows_testkit::TestEnv;

use super::{stderr_of_failure, stdout_of};

#[tokio::test]
async fn a_database_is_created_and_upgraded() {
    let env = TestEnv::new(&[]).await;
    let missing = stderr_of_failure(&env, &["migrate", "--check"]).await;
    assert!(missing.contains("there is no database at tvshows.db"), "{missing}");
    assert!(!env.database().exists(), "a check creates nothing");
    let created = stdout_of(&env, &["migrate"]).await;
    assert!(created.starts_with("The schema of tvshows.db is current: version "), "{created}");
    assert_eq!(stdout_of(&env, &["migrate", "--check"]).await, created);

    let version: u32 =
        env.connection().pragma_query_value(None, "user_version", |row| row.get(0)).unwrap();
    env.connection().pragma_update(None, "user_version", version - 1).unwrap();
    let outdated = stderr_of_failure(&env, &["migrate", "--check"]).await;
    assert!(outdated.contains(&format!("it has schema version {}", version - 1)), "{outdated}");
    assert!(outdated.contains("`tvshows update`"), "{outdated}");
    env.connection().pragma_update(None, "user_version", version + 1).unwrap();
    let newer = stderr_of_failure(&env, &["migrate"]).await;
    assert!(newer.contains("use a newer release"), "{newer}");
}
