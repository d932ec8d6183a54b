//! Episodes with specials, seasons, schedules, and how they change.

use std::collections::HashSet;
use std::rc::Rc;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use serde_json::Value;
use tvmaze_sim::{Dataset, SimConfig, Simulator};

use crate::support::{dataset, faulty, fetch, json, list, shows, simulator, status};

fn id_of(show: &Value) -> u32 {
    show["id"].as_u64().and_then(|id| u32::try_from(id).ok()).expect("an id")
}

/// All episodes and specials, each with its show.
fn all_episodes(dataset: &Dataset) -> Vec<(Rc<Value>, Value)> {
    let episodes = |show: Value| {
        let list = list(dataset.episodes_and_specials(id_of(&show)).expect("a show"));
        let show = Rc::new(show);
        list.into_iter().map(move |episode| (Rc::clone(&show), episode))
    };
    shows(dataset).into_iter().flat_map(episodes).collect()
}

#[test]
fn episode_ids_are_unique_although_a_few_links_are_not() {
    let dataset = Dataset::synthetic(500, 7);
    let mut ids = HashSet::new();
    for (_, episode) in all_episodes(&dataset) {
        assert!(ids.insert(episode["id"].as_u64()), "{episode}");
    }
    let links = shows(&dataset);
    let links: Vec<&str> = ["previousepisode", "nextepisode"]
        .into_iter()
        .flat_map(|name| links.iter().filter_map(move |show| show["_links"][name]["href"].as_str()))
        .collect();
    let distinct: HashSet<&str> = links.iter().copied().collect();
    assert!(distinct.len() < links.len(), "the case that the test is about");
}

#[test]
fn a_broadcast_is_at_its_local_date_and_time_and_at_noon_if_the_time_is_unknown() {
    let mut zones = HashSet::new();
    for (show, episode) in all_episodes(&dataset()) {
        let channel = ["network", "webChannel"].into_iter().map(|key| &show[key]);
        let channel = channel.into_iter().find(|channel| !channel.is_null()).expect("a channel");
        let zone = channel["country"]["timezone"].as_str().unwrap_or("UTC");
        zones.insert(zone.to_owned());
        let airstamp = episode["airstamp"].as_str().expect("a time");
        assert!(airstamp.ends_with("+00:00"), "{airstamp}");
        let airstamp: Timestamp = airstamp.parse().expect("a time");
        let local = airstamp.to_zoned(TimeZone::get(zone).expect(zone)).datetime();
        let date: Date = episode["airdate"].as_str().expect("a date").parse().expect("a date");
        assert_eq!(local.date(), date, "{episode}");
        let time = match episode["airtime"].as_str().expect("a text") {
            "" => Time::constant(12, 0, 0, 0),
            time => time.parse().expect("a time"),
        };
        assert_eq!(local.time(), time, "{episode}");
    }
    assert!(zones.len() > 5, "{zones:?}");
}

#[test]
fn episodes_have_nulls_images_and_later_dates() {
    let episodes = all_episodes(&dataset());
    let some = |is_case: &dyn Fn(&Value) -> bool| {
        let found = episodes.iter().filter(|(_, episode)| is_case(episode)).count();
        assert!(found > 0 && found < episodes.len(), "{found} of {}", episodes.len());
    };
    some(&|episode| episode["image"].is_null());
    some(&|episode| episode["summary"].is_null());
    some(&|episode| episode["rating"]["average"].is_null());
    some(&|episode| episode["runtime"].is_null());
    some(&|episode| episode["number"].is_null());
    some(&|episode| episode["airtime"] == "");
    some(&|episode| episode["airdate"].as_str() > Some("2026-07-01"));
    some(&|episode| episode["season"] == 4);
    some(&|episode| episode["type"] == "significant_special");
    some(&|episode| episode["type"] == "insignificant_special");
    for (_, episode) in &episodes {
        assert_eq!(episode["number"].is_null(), episode["type"] != "regular", "{episode}");
    }
}

#[tokio::test]
async fn specials_are_only_in_the_list_that_asks_for_them() {
    let simulator = simulator(SimConfig::default()).await;
    let episodes = all_episodes(&dataset());
    let (show, special) =
        episodes.iter().find(|(_, episode)| episode["number"].is_null()).expect("a special");
    let path = format!("/shows/{}", show["id"]);
    let plain = list(fetch(&simulator, &format!("{path}/episodes")).await.1);
    let all = list(fetch(&simulator, &format!("{path}/episodes?specials=1")).await.1);
    assert!(all.contains(special) && !plain.contains(special));
    let regular: Vec<Value> =
        all.iter().filter(|episode| !episode["number"].is_null()).cloned().collect();
    assert_eq!(plain, regular);
    let dates: Vec<&str> = all.iter().filter_map(|episode| episode["airdate"].as_str()).collect();
    assert!(dates.is_sorted(), "{dates:?}");
    let embedded = json(fetch(&simulator, &format!("{path}?embed=episodes")).await.1);
    assert_eq!(embedded["_embedded"]["episodes"], Value::from(plain));
    let path = format!("/episodes/{}", special["id"]);
    assert_eq!(&json(fetch(&simulator, &path).await.1), special);
    let mut embedded = json(fetch(&simulator, &format!("{path}?embed=show")).await.1);
    let fields = embedded.as_object_mut().expect("an object");
    assert_eq!(fields.remove("_embedded"), Some(serde_json::json!({"show": **show})));
    assert_eq!(&embedded, special);
    assert_eq!(status(&simulator, "/episodes/1").await, 404);
}

#[tokio::test]
async fn an_episode_is_found_by_number_and_by_date() {
    let simulator = simulator(SimConfig::default()).await;
    let (show, episode) = all_episodes(&dataset()).swap_remove(3);
    let path = format!("/shows/{}", show["id"]);
    let number = format!("season={}&number={}", episode["season"], episode["number"]);
    let found = fetch(&simulator, &format!("{path}/episodebynumber?{number}")).await;
    assert_eq!(json(found.1), episode);
    let date = episode["airdate"].as_str().expect("a date");
    let found = list(fetch(&simulator, &format!("{path}/episodesbydate?date={date}")).await.1);
    assert!(found.contains(&episode) && found.iter().all(|found| found["airdate"] == date));
    for (query, expected) in [
        ("episodebynumber?season=99&number=1", 404),
        ("episodebynumber?season=1", 400),
        ("episodesbydate?date=1900-01-01", 404),
        ("episodesbydate?date=soon", 400),
    ] {
        assert_eq!(status(&simulator, &format!("{path}/{query}")).await, expected, "{query}");
    }
}

#[tokio::test]
async fn seasons_have_the_dates_of_their_episodes() {
    let simulator = simulator(SimConfig::default()).await;
    let shows = shows(&dataset());
    let mut ids = HashSet::new();
    for show in shows.iter().take(50) {
        let path = format!("/shows/{}", show["id"]);
        let seasons = list(fetch(&simulator, &format!("{path}/seasons")).await.1);
        let episodes = list(dataset().episodes(id_of(show)).expect("a show"));
        let mut in_seasons = 0;
        for season in &seasons {
            let of_season =
                || episodes.iter().filter(|episode| episode["season"] == season["number"]);
            assert_eq!(season["premiereDate"], of_season().next().expect("an episode")["airdate"]);
            assert_eq!(season["endDate"], of_season().next_back().expect("an episode")["airdate"]);
            assert_eq!(season["episodeOrder"], of_season().count());
            assert_eq!(
                (&season["network"], &season["webChannel"]),
                (&show["network"], &show["webChannel"])
            );
            assert!(ids.insert(season["id"].as_u64()));
            in_seasons += of_season().count();
        }
        assert_eq!(in_seasons, episodes.len());
        let embedded = json(fetch(&simulator, &format!("{path}?embed=seasons")).await.1);
        assert_eq!(embedded["_embedded"]["seasons"], Value::from(seasons));
    }
    assert!(ids.len() > 50);
}

#[tokio::test]
async fn a_schedule_has_the_episodes_of_a_day_in_a_country_with_their_shows() {
    let simulator = simulator(SimConfig::default()).await;
    let episodes = all_episodes(&dataset());
    let is_us = |show: &Value| show["network"]["country"]["code"] == "US";
    let (_, some) = episodes.iter().rfind(|(show, _)| is_us(show)).expect("an episode");
    let date = some["airdate"].as_str().expect("a date");
    let schedule = async |query: &str| list(fetch(&simulator, query).await.1);
    let expected = |is_included: &dyn Fn(&Value) -> bool| -> HashSet<String> {
        let on_day = episodes
            .iter()
            .filter(|(show, episode)| episode["airdate"] == date && is_included(show));
        on_day.map(|(show, episode)| format!("{episode} {show}")).collect()
    };
    let us = schedule(&format!("/schedule?date={date}")).await;
    assert_eq!(us, schedule(&format!("/schedule?date={date}&country=US")).await);
    let found: HashSet<String> = us
        .iter()
        .cloned()
        .map(|mut episode| {
            let show = episode.as_object_mut().and_then(|fields| fields.remove("show"));
            format!("{episode} {}", show.expect("a show"))
        })
        .collect();
    assert_eq!(found, expected(&is_us));
    assert!(!found.is_empty());

    let (_, some) =
        episodes.iter().rfind(|(show, _)| show["network"].is_null()).expect("an episode");
    let date = some["airdate"].as_str().expect("a date");
    let web = schedule(&format!("/schedule/web?date={date}")).await;
    let of_country = |code: &Value| {
        let code = code.clone();
        web.iter().filter(move |episode| {
            episode["_embedded"]["show"]["webChannel"]["country"]["code"] == code
        })
    };
    assert!(web.iter().any(|episode| episode["id"] == some["id"]));
    let worldwide = schedule(&format!("/schedule/web?date={date}&country=")).await;
    assert_eq!(worldwide, of_country(&Value::Null).cloned().collect::<Vec<_>>());
    let korean = schedule(&format!("/schedule/web?date={date}&country=KR")).await;
    assert_eq!(korean, of_country(&"KR".into()).cloned().collect::<Vec<_>>());

    assert_eq!(schedule("/schedule?country=US&date=1900-01-01").await, Vec::<Value>::new());
    assert_eq!(schedule("/schedule").await, schedule("/schedule?date=2026-07-01").await);
    let full = schedule("/schedule/full").await;
    let future =
        episodes.iter().filter(|(_, episode)| episode["airdate"].as_str() >= Some("2026-07-01"));
    assert_eq!(full.len(), future.count());
    for bad in ["?country=USA", "?country=", "?date=2026-02-30", "/web?country=1", "/web?date=x"] {
        assert_eq!(status(&simulator, &format!("/schedule{bad}")).await, 422, "{bad}");
    }
}

#[test]
fn a_changed_show_has_other_episodes_and_another_cast_and_no_other_show_differs() {
    let before = dataset();
    let old = &before;
    let shows = shows(old);
    let has_both = |show: &&Value| {
        let cast = list(old.cast(id_of(show)).expect("a show"));
        !show["premiered"].is_null() && cast.len() > 1
    };
    let both: Vec<u32> = shows.iter().filter(has_both).map(id_of).take(2).collect();
    let changed_ids = [both[0], both[1], both[1]];
    let new = Dataset::synthetic_with_changes(600, 1, &changed_ids);
    for show in &shows {
        let id = id_of(show);
        let change_count =
            changed_ids.iter().filter(|&&changed_id| changed_id == id).count() as u64;
        if change_count == 0 {
            assert_eq!(new.show(id), old.show(id));
            assert_eq!(new.cast(id), old.cast(id));
            assert_eq!(new.episodes_and_specials(id), old.episodes_and_specials(id));
            assert_eq!(new.seasons(id), old.seasons(id));
            continue;
        }
        let mut changed = json(new.show(id).expect("a show"));
        assert_eq!(changed["updated"], 1_782_864_000 + 86_400 * change_count);
        assert_eq!(json(new.updates())[id.to_string()], changed["updated"]);
        changed["updated"] = show["updated"].clone();
        assert_eq!(&changed, show);

        let lists = [old, &new].map(|dataset| list(dataset.episodes(id).expect("a show")));
        let [old_list, new_list] = &lists;
        let (last, kept) = old_list.split_last().expect("an episode");
        assert_eq!(&new_list[..kept.len()], kept);
        let postponed = &new_list[kept.len()];
        assert_eq!(postponed["id"], last["id"]);
        let date = |episode: &Value| -> Date {
            episode["airdate"].as_str().expect("a date").parse().expect("a date")
        };
        assert_eq!(
            (date(postponed) - date(last)).get_days(),
            i32::try_from(change_count).expect("few")
        );
        assert_ne!(postponed["airstamp"], last["airstamp"]);
        let announced = &new_list[old_list.len()..];
        assert_eq!(announced.len() as u64, change_count);
        assert!(
            announced
                .iter()
                .all(|episode| episode["airdate"] == "" && episode["airstamp"].is_null())
        );

        let casts = [old, &new].map(|dataset| list(dataset.cast(id).expect("a show")));
        let [mut cast, new_cast] = casts;
        if change_count == 1 {
            cast.swap(0, 1);
        }
        assert_eq!(&new_cast[..cast.len()], cast);
        assert_eq!((new_cast.len() - cast.len()) as u64, change_count);
    }
}

#[tokio::test]
async fn two_embeds_are_counted_and_fail_however_their_brackets_are_written() {
    let plain = "/shows/1?embed[]=episodes&embed[]=cast";
    let encoded = "/shows/1?embed%5B%5D=episodes&embed%5B%5D=cast";
    let faults = [format!("status:503*1@{plain}"), format!("status:502*1@{encoded}")];
    let simulator = simulator(faulty(&[&faults[0], &faults[1]])).await;
    assert_eq!(status(&simulator, encoded).await, 503);
    assert_eq!(status(&simulator, plain).await, 502);
    let body = json(fetch(&simulator, encoded).await.1);
    let embedded = body["_embedded"].as_object().expect("an object");
    assert_eq!(embedded.keys().collect::<Vec<_>>(), ["cast", "episodes"]);
    assert_eq!((simulator.requests_for(plain), simulator.requests_for(encoded)), (3, 3));
    assert_eq!(simulator.request_count(), 3);
}

#[tokio::test]
async fn recorded_episodes_have_their_specials_apart_and_are_scheduled() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    };
    let show = r#"{"id":1,"name":"A","network":{"country":{"code":"GB"}},"updated":1606953600}"#;
    write("pages/0.json", &format!(r#"[{show}, {{"id":2,"name":"B","updated":6}}]"#));
    let regular = r#"{"id":7,"season":1,"number":1,"airdate":"2020-12-03"}"#;
    let special = r#"{"id":8,"season":1,"number":null,"airdate":"2020-12-04"}"#;
    write("episodes/1.json", &format!("[{regular}, {special}]"));
    write("cast/1.json", r#"[{"person":{"id":5}}]"#);
    write("seasons/1.json", r#"[{"id":3,"number":1}]"#);
    let dataset = Dataset::recorded(folder.path()).expect("a dataset");
    let simulator = Simulator::start("127.0.0.1:0", dataset, SimConfig::default()).await;
    let simulator = simulator.expect("a free port");
    for (path, expected) in [
        ("/shows/1/episodes", format!("[{regular}]")),
        ("/shows/1/episodes?specials=1", format!("[{regular}, {special}]")),
        ("/shows/1/seasons", r#"[{"id":3,"number":1}]"#.to_owned()),
        ("/shows/2/seasons", "[]".to_owned()),
        ("/episodes/8", special.to_owned()),
        ("/shows/1/episodesbydate?date=2020-12-04", format!("[{special}]")),
    ] {
        assert_eq!(fetch(&simulator, path).await, (200, expected), "{path}");
    }
    let both = json(fetch(&simulator, "/shows/1?embed[]=episodes&embed[]=cast").await.1);
    let embedded =
        serde_json::json!({"cast": [{"person": {"id": 5}}], "episodes": [json(regular)]});
    assert_eq!(both["_embedded"], embedded);
    let none = json(fetch(&simulator, "/shows/2?embed[]=episodes&embed[]=cast").await.1);
    assert_eq!(none["_embedded"], serde_json::json!({"cast": [], "episodes": []}));
    let today = list(fetch(&simulator, "/schedule?country=GB").await.1);
    assert_eq!((today.len(), &today[0]["id"]), (1, &7.into()), "the day of the newest change");
    assert_eq!(list(fetch(&simulator, "/schedule/full").await.1).len(), 2);
}
