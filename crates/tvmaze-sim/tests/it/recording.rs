use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;
use tvmaze_sim::{Dataset, Error, SimConfig, Simulator};

use crate::support::{NOT_FOUND, fetch, json, shows};

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, text) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    folder
}

fn recorded(files: &[(&str, &str)]) -> Result<Dataset, Error> {
    Dataset::recorded(folder(files).path())
}

/// Responses recorded from TVmaze, which are not part of the repository: the test is skipped without them.
fn recordings(test: &str) -> Option<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tvmaze");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped {test}: no {}", folder.display());
    None
}

#[test]
fn serves_the_files_as_they_are() {
    let page = r#"[{"id":1,"name":"A","updated":5}, {"id":3,"name":"Ж / é","updated":7}]"#;
    let dataset = recorded(&[
        ("pages/0.json", page),
        ("pages/2.json", r#"[{"id":500,"updated":9}]"#),
        ("pages/README.md", "not a response"),
        ("cast/3.json", r#"[{"person":{"id":1}}]"#),
        ("episodes/3.json", r#"[{"id":8}]"#),
    ])
    .expect("a dataset");
    assert_eq!(dataset.page(0).expect("a file"), page);
    assert_eq!(dataset.page(1).expect("a gap"), "[]");
    assert!(dataset.page(3).is_none());
    assert_eq!(dataset.show(3).expect("a show"), r#"{"id":3,"name":"Ж / é","updated":7}"#);
    assert!(dataset.show(2).is_none());
    assert_eq!(dataset.cast(3).expect("a file"), r#"[{"person":{"id":1}}]"#);
    assert_eq!(dataset.cast(1).expect("a show without a file"), "[]");
    assert!(dataset.cast(2).is_none());
    assert_eq!(dataset.episodes(3).expect("a file"), r#"[{"id":8}]"#);
    assert_eq!(dataset.episodes(1).expect("a show without a file"), "[]");
    assert!(dataset.episodes(2).is_none());
}

#[test]
fn malformed_shows_are_served_too() {
    let page = r#"[{"id":1,"name":7,"externals":[],"updated":"now"},{"id":2,"summary":"a \ud83d","updated":7}]"#;
    let dataset = recorded(&[("pages/0.json", page)]).expect("a dataset");
    assert_eq!(dataset.page(0).expect("a file"), page);
    assert_eq!(dataset.show(2).expect("a show"), r#"{"id":2,"summary":"a \ud83d","updated":7}"#);
    assert_eq!(dataset.updates(), r#"{"1":0,"2":7}"#);
}

#[test]
fn updates_are_the_file_or_else_every_shows_own_time() {
    let pages = ("pages/0.json", r#"[{"id":1,"updated":5},{"id":20,"updated":7}]"#);
    let derived = recorded(&[pages]).expect("a dataset");
    assert_eq!(derived.updates(), r#"{"1":5,"20":7}"#);
    let file = recorded(&[pages, ("updates.json", r#"{"1": 6, "20": 7}"#)]).expect("a dataset");
    assert_eq!(file.updates(), r#"{"1":6,"20":7}"#);
}

#[test]
fn an_error_names_the_file() {
    let page = ("pages/0.json", "[]");
    for (files, name) in [
        (&[][..], "pages"),
        (&[("pages/README.md", "")][..], "pages"),
        (&[("pages/one.json", "[]")][..], "one.json"),
        (&[("pages/0.json", "[{\"id\":1")][..], "0.json"),
        (&[("pages/0.json", "{}")][..], "0.json"),
        (&[("pages/0.json", r#"[{"id":1}]"#)][..], "0.json"),
        (&[page, ("cast/7.json", "null")][..], "7.json"),
        (&[page, ("updates.json", "[]")][..], "updates.json"),
        (&[page, ("cast", "a file where a folder belongs")][..], "cast"),
    ] {
        let error = recorded(files).expect_err(name).to_string();
        assert!(error.contains(name), "{error}");
    }
}

#[tokio::test]
async fn recordings_are_served_byte_for_byte() {
    let Some(folder) = recordings("recordings_are_served_byte_for_byte") else { return };
    let dataset = Dataset::recorded(&folder).expect("the recordings");
    let simulator = Simulator::start("127.0.0.1:0", dataset.clone(), SimConfig::default())
        .await
        .expect("a free port");
    let pages = fs::read_dir(folder.join("pages")).expect("pages").count();
    for n in 0..pages {
        let file = fs::read_to_string(folder.join(format!("pages/{n}.json"))).expect("a page");
        assert!(fetch(&simulator, &format!("/shows?page={n}")).await == (200, file), "page {n}");
    }
    let past = fetch(&simulator, &format!("/shows?page={pages}")).await;
    assert_eq!(past, (404, NOT_FOUND.to_owned()));
    for file in fs::read_dir(folder.join("cast")).expect("casts") {
        let path = file.expect("a file").path();
        let id = path.file_stem().expect("a name").to_str().expect("UTF-8");
        let cast = fs::read_to_string(&path).expect("a cast");
        assert!(fetch(&simulator, &format!("/shows/{id}/cast")).await == (200, cast), "cast {id}");
    }
}

#[test]
fn recorded_shows_and_updates_agree_with_the_pages() {
    let Some(folder) = recordings("recorded_shows_and_updates_agree_with_the_pages") else {
        return;
    };
    let dataset = Dataset::recorded(&folder).expect("the recordings");
    let updates = json(dataset.updates());
    for show in shows(&dataset) {
        let id = show["id"].as_u64().expect("an id");
        let alone = dataset.show(u32::try_from(id).expect("a small id")).expect("a show");
        assert_eq!(json(alone), show);
        assert_eq!(updates[id.to_string()], show["updated"]);
    }
}
