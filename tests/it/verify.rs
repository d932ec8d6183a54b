//! `tvshows verify`: the database beside TVmaze.

use std::process::Output;

use tvmaze_sim::Dataset;

use crate::redis_server::free_port;
use crate::support::World;

async fn verify(world: &World) -> (Option<i32>, String) {
    let Output { status, stdout, .. } = world.tvshows(&["verify"]).output().await.unwrap();
    (status.code(), String::from_utf8(stdout).unwrap())
}

#[tokio::test]
async fn tells_what_differs_and_what_to_do() {
    let world = World::new(&[]).await;
    assert!(world.update().await.status.success());
    let (code, out) = verify(&world).await;
    assert_eq!(code, Some(0));
    assert_eq!(
        out,
        "2,300 shows in the database, 2,300 at TVmaze.\nNo show is missing, outdated, or deleted at TVmaze.\n"
    );

    let file = rusqlite::Connection::open(world.database()).unwrap();
    file.execute("UPDATE All_Shows SET updated = updated - 1 WHERE id = 1", []).unwrap();
    drop(file);
    world.simulator.set_dataset(Dataset::synthetic(2298, 1));
    let requests = world.simulator.request_count();
    let (code, out) = verify(&world).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("\n1 outdated: 1\n2 deleted at TVmaze: "), "{out}");
    assert_eq!(world.simulator.request_count() - requests, 1);
    assert_eq!(world.states(), ["succeeded"], "nothing was written");

    world.simulator.set_dataset(Dataset::synthetic(2312, 1));
    let (_, out) = verify(&world).await;
    assert!(out.contains("\n12 missing: ") && out.contains(", …\n"), "{out}");
    assert!(out.ends_with("Run `tvshows update` to bring the database up to date.\n"), "{out}");
}

#[tokio::test]
async fn makes_no_database() {
    let world = World::new(&[]).await;
    std::fs::write(world.folder.path().join("empty.db"), "").unwrap();
    for name in ["tvshows.db", "empty.db"] {
        let output = world.tvshows(&["verify", "--database-path", name]).output().await.unwrap();
        assert_eq!(output.status.code(), Some(1));
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(
            error.contains(&format!("there is no database at {name}; run `tvshows update`")),
            "{error}"
        );
    }
    assert!(!world.database().exists());
    assert_eq!(std::fs::read(world.folder.path().join("empty.db")).unwrap(), b"");
}

#[tokio::test]
async fn finds_damage_in_the_file() {
    let world = World::new(&[]).await;
    assert!(world.update().await.status.success());
    let file = rusqlite::Connection::open(world.database()).unwrap();
    let root = "SELECT rootpage FROM sqlite_schema WHERE name = 'All_Shows'";
    let page: usize = file.query_row(root, [], |row| row.get(0)).unwrap();
    let size: usize = file.pragma_query_value(None, "page_size", |row| row.get(0)).unwrap();
    drop(file);
    let mut bytes = std::fs::read(world.database()).unwrap();
    bytes[(page - 1) * size + 100..page * size].fill(0xFF);
    std::fs::write(world.database(), bytes).unwrap();
    let (code, out) = verify(&world).await;
    assert_eq!(code, Some(1));
    assert!(out.contains("damaged: ") && out.contains("Replace the file with a backup"), "{out}");
}

#[tokio::test]
async fn says_where_tvmaze_cannot_be_reached() {
    let world = World::new(&[]).await;
    assert!(world.update().await.status.success());
    let nobody = format!("http://127.0.0.1:{}", free_port());
    let output = world.tvshows(&["verify", "--base-url", &nobody]).output().await.unwrap();
    assert_eq!(output.status.code(), Some(1));
    let error = String::from_utf8(output.stderr).unwrap();
    assert!(error.contains("TVmaze cannot be reached; check the network"), "{error}");
}
