//! `tvshows top`, `show` and `search`.

use super::{parse, stdout_of};
use tvshows_testkit::{Service, TestEnv};

#[tokio::test]
async fn shows_are_listed_as_the_service_lists_them() {
    let env = TestEnv::published().await;
    let service = Service::start(&env, &[]).await;
    let top = service.json("/shows/top_shows?limit=3").await;
    assert_eq!(parse(&stdout_of(&env, &["top", "--limit", "3", "--json"]).await), top);
    let table = stdout_of(&env, &["top", "--limit", "3"]).await;
    assert_eq!(table.lines().count(), 4, "{table}");
    assert!(table.contains(top[0]["name"].as_str().unwrap()), "{table}");

    let id = top[0]["id"].to_string();
    let show = service.json(&format!("/shows/{id}")).await;
    assert_eq!(parse(&stdout_of(&env, &["show", &id, "--json"]).await), show);
    let by_name = stdout_of(&env, &["show", top[0]["name"].as_str().unwrap()]).await;
    let first = format!("{} (show {id})\n", top[0]["name"].as_str().unwrap());
    assert!(by_name.starts_with(&first), "{by_name}");
    assert!(by_name.contains("\nCast\n") && !by_name.contains("<p>"), "{by_name}");

    let list = service.json("/shows?q=harbor&genre=Drama&limit=2").await;
    let search = ["search", "harbor", "--genre", "Drama", "--limit", "2", "--json"];
    assert_eq!(parse(&stdout_of(&env, &search).await), list["shows"]);
    let best =
        stdout_of(&env, &["search", "--language", "English", "--limit", "1", "--json"]).await;
    let expected = service.json("/shows?language=English&sort=-rating&limit=1").await;
    assert_eq!(parse(&best), expected["shows"], "the best come first without words");
}
