use std::path::Path;
use std::time::Duration;

use serde_json::Value;
use tvmaze_sim::Dataset;
use tvshows_core::{RunState, ShowId, Step};
use tvshows_testkit::{ScriptedSimulator, served_shows, ten_pages};

use crate::harness::TestEnv;

/// The ids of the top shows, computed from the JSON alone.
fn top_ten(shows: &[Value], this_year: i64) -> Vec<u64> {
    let year = |show: &Value| show["premiered"].as_str().and_then(|date| date[..4].parse().ok());
    let mut top: Vec<&Value> = shows
        .iter()
        .filter(|show| show["language"] == "English")
        .filter(|show| show["genres"].as_array().unwrap().iter().any(|genre| genre == "Action"))
        .filter(|show| year(show).is_some_and(|year: i64| year >= this_year - 10))
        .collect();
    let key = |show: &Value| {
        let rating = show["rating"]["average"].as_f64().unwrap_or(-1.0);
        (-rating, -show["weight"].as_i64().unwrap(), show["id"].as_u64().unwrap())
    };
    top.sort_by(|a, b| key(a).partial_cmp(&key(b)).unwrap());
    top.iter().take(10).map(|show| show["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn publishes_every_show_the_top_and_their_casts() {
    let simulator = ScriptedSimulator::start(&[]).await;
    let env = TestEnv::on_disk(&simulator.base_url()).await;
    let status = env.update().await;
    assert_eq!(
        (status.state, status.step, status.progress),
        (RunState::Succeeded, Step::Completed, 100)
    );
    let shows = served_shows(&ten_pages());
    assert_eq!(status.shows_seen as usize, shows.len());
    assert_eq!((status.pages_done, status.pages_total), (10, Some(10)));
    assert_eq!((status.casts_done, status.casts_total), (10, Some(10)));

    for show in &shows {
        let id = ShowId(u32::try_from(show["id"].as_u64().unwrap()).unwrap());
        let stored = env.store.show(id.into()).await.unwrap().unwrap();
        assert_eq!(&serde_json::to_value(&stored).unwrap(), show);
    }
    let this_year = jiff::Timestamp::now().to_zoned(jiff::tz::TimeZone::UTC).year().into();
    let top = env.store.top_shows(1000).await.unwrap();
    let top: Vec<u64> = top.iter().map(|show| show.id.0.into()).collect();
    assert_eq!(top, top_ten(&shows, this_year));
    let cast_rows: usize = top
        .iter()
        .map(|id| ten_pages().cast(u32::try_from(*id).unwrap()).unwrap())
        .map(|cast| serde_json::from_slice::<Vec<Value>>(&cast).unwrap().len())
        .sum();
    let lines = env.tables().await.lines().count();
    assert_eq!(lines, shows.len() + 10 + cast_rows);
}

#[tokio::test]
async fn asks_for_each_thing_once() {
    let simulator = ScriptedSimulator::start(&[]).await;
    let env = TestEnv::new(&simulator.base_url()).await;
    let status = env.update().await;
    let expected = 1 /* updates */ + 10 /* pages */ + 1 /* the end */ + 10 /* casts */;
    assert_eq!(status.counts.requests, expected);
    assert_eq!(simulator.request_count(), expected);
    assert_eq!(simulator.requests_for("/shows?page=10"), 1, "the 404 that ends the index");
}

#[tokio::test]
async fn without_a_map_the_404_at_the_end_must_do() {
    let simulator = ScriptedSimulator::start(&["missing@/updates/shows"]).await;
    let env = TestEnv::new(&simulator.base_url()).await;
    let status = env.update().await;
    assert_eq!((status.state, status.shows_seen), (RunState::Succeeded, 2300));
    assert_eq!((status.pages_done, status.pages_total), (10, Some(10)), "known once it is there");
}

#[tokio::test]
async fn a_second_run_replaces_the_first() {
    let simulator = ScriptedSimulator::start(&[]).await;
    let env = TestEnv::new(&simulator.base_url()).await;
    env.update().await;
    simulator.set_dataset(Dataset::synthetic(500, 2));
    let status = env.update().await;
    assert_eq!((status.state, status.shows_seen), (RunState::Succeeded, 500));
    let published = env.store.manifest().await.unwrap();
    let last = *published.shows.last_key_value().unwrap().0;
    assert!(last < ShowId(600), "{last}");
}

#[tokio::test]
async fn a_rate_limit_slows_a_run_and_loses_nothing() {
    // The second is TVmaze's own, which sends no `Retry-After`.
    for (limit, retry_after) in [("10/1s", true), ("20/10s", false)] {
        let simulator = ScriptedSimulator::start(&[]).await;
        let limit = tvmaze_sim::RateLimit { retry_after, ..limit.parse().unwrap() };
        simulator.set_limit(limit);
        let env = TestEnv::new(&simulator.base_url()).await;
        let status = env.update().await;
        assert_eq!((status.state, status.shows_seen), (RunState::Succeeded, 2300));
        assert_eq!(status.counts.rate_limited, simulator.rate_limited_count());
    }
}

#[tokio::test]
async fn every_recorded_show_comes_back_as_it_was_recorded() {
    let recordings = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/tvmaze");
    if !recordings.exists() {
        println!(
            "skipped: every_recorded_show_comes_back_as_it_was_recorded needs {}",
            recordings.display()
        );
        return;
    }
    let dataset = Dataset::recorded(&recordings).unwrap();
    let simulator = ScriptedSimulator::start_with(dataset.clone(), Duration::ZERO).await;
    let env = TestEnv::on_disk(&simulator.base_url()).await;
    let status = env.update().await;
    assert_eq!(status.state, RunState::Succeeded, "{:?}", status.error);
    let shows = served_shows(&dataset);
    assert_eq!(status.shows_seen as usize, shows.len());
    for recorded in shows {
        let id = ShowId(u32::try_from(recorded["id"].as_u64().unwrap()).unwrap());
        let stored =
            serde_json::to_value(env.store.show(id.into()).await.unwrap().unwrap()).unwrap();
        assert!(same(&stored, &recorded), "{stored}\n{recorded}");
    }
}

/// Whether `ours` is `theirs`, where a key that they lack may be null.
fn same(ours: &Value, theirs: &Value) -> bool {
    match (ours, theirs) {
        (Value::Object(ours), Value::Object(theirs)) => {
            theirs.keys().all(|key| ours.contains_key(key))
                && ours.iter().all(|(key, value)| match theirs.get(key) {
                    Some(their) => same(value, their),
                    None => value.is_null(),
                })
        }
        _ => ours == theirs,
    }
}
