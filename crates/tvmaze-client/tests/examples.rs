//! Runs the examples against the simulator. `cargo test` builds them, unless it is limited to a single
//! test target.

use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use tvmaze_sim::{Dataset, SimConfig, Simulator};

async fn simulator(shows: u32) -> Simulator {
    Simulator::start("127.0.0.1:0", dataset(shows), SimConfig::default()).await.unwrap()
}

/// More shows only add ids at the end.
fn dataset(shows: u32) -> Dataset {
    Dataset::synthetic(shows, 1)
}

fn shows(dataset: &Dataset) -> Vec<Value> {
    let pages = (0..).map_while(|n| dataset.page(n));
    pages.flat_map(|page| serde_json::from_slice::<Vec<Value>>(&page).unwrap()).collect()
}

/// Runs an example against `simulator` and returns its output; skips it if it was not built.
async fn run(
    example: &'static str,
    argument: Option<PathBuf>,
    simulator: &Simulator,
) -> Option<String> {
    let tests = std::env::current_exe().unwrap();
    let program = tests.ancestors().nth(2).unwrap().join("examples").join(example);
    if !program.exists() {
        println!("skipped: example {example} is not built; run `cargo test` without a target");
        return None;
    }
    let mut command = Command::new(program);
    command.args(argument).env("TVMAZE_BASE_URL", simulator.base_url());
    let output: Output =
        tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    assert!(output.status.success(), "{}", text(output.stderr));
    Some(text(output.stdout))
}

#[tokio::test]
async fn search_prints_the_show_that_was_searched_for() {
    let simulator = simulator(300).await;
    let show = shows(&dataset(300)).swap_remove(7);
    let name = show["name"].as_str().unwrap();
    if let Some(printed) = run("search", Some(name.into()), &simulator).await {
        let first = printed.lines().next().unwrap();
        assert!(
            first.starts_with(&format!("{:>6}  {name} (", show["id"].as_u64().unwrap())),
            "{printed}"
        );
    }
    if let Some(printed) = run("search", Some("nothing has this name".into()), &simulator).await {
        assert!(printed.starts_with("No matching shows.\n"), "{printed}");
    }
}

#[tokio::test]
async fn next_episode_prints_the_episode_of_the_shows_link() {
    let simulator = simulator(300).await;
    let next = |show: &Value| show["_links"]["nextepisode"]["name"].as_str().map(str::to_owned);
    let shows = shows(&dataset(300));
    let is_unique =
        |show: &&Value| shows.iter().filter(|other| other["name"] == show["name"]).count() == 1;
    let with = shows.iter().filter(is_unique).find(|show| next(show).is_some()).unwrap();
    let without = shows.iter().filter(is_unique).find(|show| next(show).is_none()).unwrap();
    let name = |show: &Value| show["name"].as_str().unwrap().to_owned();
    if let Some(printed) = run("next_episode", Some(name(with).into()), &simulator).await {
        let expected = format!("{}: {}, 2026-", name(with), next(with).unwrap());
        assert!(printed.starts_with(&expected), "{printed}");
    }
    if let Some(printed) = run("next_episode", Some(name(without).into()), &simulator).await {
        let expected = format!("{}: no upcoming episode\n", name(without));
        assert!(printed.starts_with(&expected), "{printed}");
    }
}

#[tokio::test]
async fn dump_index_writes_a_line_for_each_show() {
    let simulator = simulator(600).await;
    if let Some(printed) = run("dump_index", None, &simulator).await {
        let printed: Vec<Value> =
            printed.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        assert_eq!(printed, shows(&dataset(600)));
    }
}

#[tokio::test]
async fn sync_mirror_fetches_only_what_changed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("shows.json");
    let simulator = simulator(300).await;
    let Some(first) = run("sync_mirror", Some(file.clone()), &simulator).await else { return };
    assert!(first.starts_with("300 shows: 0 updated, 0 deleted; "), "{first}");
    for (count, expected) in [
        (305, "305 shows: 5 updated, 0 deleted; 6 requests\n"),
        (290, "290 shows: 0 updated, 15 deleted; 1 request"),
    ] {
        simulator.set_dataset(dataset(count));
        let printed = run("sync_mirror", Some(file.clone()), &simulator).await.unwrap();
        assert!(printed.starts_with(expected), "{printed}");
        let mirror: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
        let mut mirror: Vec<Value> = mirror.as_object().unwrap().values().cloned().collect();
        mirror.sort_by_key(|show| show["id"].as_u64());
        assert_eq!(mirror, shows(&dataset(count)));
    }
}
