//! `/shows`: lists, searches, cursors, casts, statistics and conditional requests.

use serde_json::{Value, json};
use std::collections::BTreeSet;
use tvshows_testkit::{Service, TestEnv, json_body};

fn ids(list: &Value) -> Vec<u64> {
    list["shows"].as_array().unwrap().iter().map(|show| show["id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_list_has_shows_as_they_are_given_alone() {
    let (_env, service) = TestEnv::published_and_served().await;
    let list = service.json("/shows?limit=3").await;
    assert_eq!(ids(&list).len(), 3);
    for show in list["shows"].as_array().unwrap() {
        assert_eq!(*show, service.json(&format!("/shows/{}", show["id"])).await);
    }
    let some = service.json("/shows?limit=3&fields=name,rating").await;
    let keys = |show: &Value| show.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(keys(&some["shows"][0]), ["name", "rating"]);
    assert_eq!(some["shows"][2]["rating"], list["shows"][2]["rating"]);
    assert_eq!(some["next_cursor"], list["next_cursor"]);
}

#[tokio::test]
async fn a_cursor_visits_each_show_once_while_an_update_publishes() {
    let (env, service) = TestEnv::published_and_served().await;
    for sort in ["id", "-name", "rating", "-premiered", "updated", "-weight"] {
        let mut seen = Vec::new();
        let mut path = format!("/shows?sort={sort}&limit=300&fields=id");
        loop {
            let list = service.json(&path).await;
            seen.extend(ids(&list));
            if seen.len() == 600 {
                assert!(env.update().await.status.success());
            }
            let Some(cursor) = list["next_cursor"].as_str() else { break };
            path = format!("/shows?sort={sort}&limit=300&fields=id&cursor={cursor}");
        }
        let distinct: BTreeSet<_> = seen.iter().collect();
        assert_eq!((seen.len(), distinct.len()), (2300, 2300), "{sort}");
    }
}

#[tokio::test]
async fn a_show_is_found_by_a_piece_of_its_name() {
    let (_env, service) = TestEnv::published_and_served().await;
    let show = service.json("/shows?limit=1").await["shows"][0].clone();
    let name = show["name"].as_str().unwrap();
    let found = service.get("/shows").query(&[("q", name)]).send().await.unwrap();
    assert_eq!(json_body(found).await["shows"][0]["name"], show["name"]);
    for odd in ["\"", "a\"b", "NOT", "name:x", "(", "\0", "🙂", "%", "'; --", "*", "^x", "a AND"]
    {
        let found = service.get("/shows").query(&[("q", odd)]).send().await.unwrap();
        assert_eq!(found.status(), 200, "{odd:?}");
    }
}

#[tokio::test]
async fn totals_and_facets_are_those_of_sql() {
    let (env, service) = TestEnv::published_and_served().await;
    let database = env.connection();
    let genre = "instr(',' || genres || ',', ',Drama,') > 0";
    let channel = |field: &str| {
        format!(
            "ifnull(json_extract(network, '$.{field}'), json_extract(web_channel, '$.{field}'))"
        )
    };
    let (network, country) = (channel("name"), channel("country.name"));
    let day = "EXISTS (SELECT 1 FROM json_each(schedule, '$.days') WHERE value = 'Monday')";
    let united_states = format!("{country} = 'United States'");
    let filters = [
        ("", "1".to_owned()),
        ("&genre=drama", genre.to_owned()),
        ("&genre=DRAMA&country=us", format!("{genre} AND {united_states}")),
        ("&country=united+states&day=monday", format!("{united_states} AND {day}")),
        ("&network=-", format!("{network} IS NULL")),
        ("&genre=-&max_rating=7", "genres = '' AND rating_average <= 7".to_owned()),
        ("&min_rating=5&max_rating=6.5", "rating_average BETWEEN 5 AND 6.5".to_owned()),
    ];
    for (query, condition) in filters {
        let path = format!("/shows?limit=1&facets=language,network,country,status{query}");
        let list = service.json(&path).await;
        let count = |condition: &str| {
            let sql = format!("SELECT count(*) FROM All_Shows WHERE {condition}");
            database.query_row(&sql, [], |row| row.get::<_, u64>(0)).unwrap()
        };
        assert_eq!(list["total"], count(&condition), "{path}");
        for (facet, column) in
            [("language", "language"), ("status", "status"), ("network", network.as_str())]
        {
            if query.contains(facet) {
                continue;
            }
            let sql = format!(
                "SELECT json_group_array(json_object('value', value, 'count', count)) FROM \
                 (SELECT {column} AS value, count(*) AS count FROM All_Shows WHERE {condition} \
                 GROUP BY 1 ORDER BY 2 DESC, 1 LIMIT 200)"
            );
            let counts: String = database.query_row(&sql, [], |row| row.get(0)).unwrap();
            assert_eq!(
                list["facets"][facet],
                serde_json::from_str::<Value>(&counts).unwrap(),
                "{path}"
            );
        }
    }
    let list = service.json("/shows?genre=darma&limit=1").await;
    let unmatched = json!([{"parameter": "genre", "value": "darma", "suggestions": ["Drama"]}]);
    assert_eq!((&list["total"], &list["unmatched"]), (&json!(0), &unmatched));
    assert_eq!(service.json("/shows?limit=1").await["facets"], json!({}));
}

#[tokio::test]
async fn what_is_known_of_a_snapshot_is_not_sent_again() {
    let (env, service) = TestEnv::published_and_served().await;
    let top = service.json("/shows/top_shows").await[0]["id"].clone();
    let paths = [
        "/shows?limit=2",
        "/shows/stats",
        "/shows/top_shows",
        "/shows/top_shows_multi_char_actors",
        &format!("/shows/{top}"),
        &format!("/shows/{top}/cast"),
    ];
    for (top, path) in (3..).zip(paths) {
        let first = service.get(path).send().await.unwrap();
        assert_eq!(first.headers()["cache-control"], "no-cache", "{path}");
        let tag = first.headers()["etag"].clone();
        let again = || service.get(path).header("if-none-match", &tag).send();
        let known = again().await.unwrap();
        assert_eq!((known.status().as_u16(), &known.headers()["etag"]), (304, &tag), "{path}");
        let update = ["update", "--top", &top.to_string()];
        assert!(env.tvshows(&update).output().await.unwrap().status.success());
        assert_eq!(again().await.unwrap().status(), 200, "{path}: another snapshot");
    }
    let missing =
        service.get("/shows/999999999").header("if-none-match", "*").send().await.unwrap();
    assert_eq!(missing.status(), 404);
}

#[tokio::test]
async fn casts_and_counts_are_those_of_the_tables() {
    let (env, service) = TestEnv::published_and_served().await;
    let database = env.connection();
    let count = |sql: &str| database.query_row(sql, [], |row| row.get::<_, u64>(0)).unwrap();
    let stats = service.json("/shows/stats").await;
    assert_eq!(stats["tables"]["all_shows"], count("SELECT count(*) FROM All_Shows"));
    assert_eq!(stats["tables"]["top_shows_cast"], count("SELECT count(*) FROM Top_Shows_Cast"));
    assert_eq!(stats["tables"]["show_cast"], count("SELECT count(*) FROM Show_Cast"));
    assert_eq!(stats["tables"]["episodes"], 0, "no shows are chosen");
    assert_eq!(stats["snapshot"], 1);
    for language in stats["languages"].as_array().unwrap() {
        let value = language["value"].as_str();
        let sql = "SELECT count(*) FROM All_Shows WHERE language IS ?1";
        let expected: u64 = database.query_row(sql, [value], |row| row.get(0)).unwrap();
        assert_eq!(language["count"], expected, "{value:?}");
    }
    let top = service.json("/shows/top_shows?limit=1").await[0]["id"].clone();
    let cast = service.json(&format!("/shows/{top}/cast")).await;
    let sql = format!("SELECT count(*) FROM Top_Shows_Cast WHERE show_id = {top}");
    assert_eq!(cast.as_array().unwrap().len() as u64, count(&sql));
    assert_eq!(cast[0]["show_id"], top);
    assert!(cast[0]["self"].is_boolean() && cast[0]["position"] == 0, "{cast}");
}

#[tokio::test]
async fn wrong_parameters_of_a_list_are_named() {
    let (_env, service) = TestEnv::published_and_served().await;
    let cursor = service.json("/shows?limit=1&sort=name").await["next_cursor"].clone();
    let cursor = cursor.as_str().unwrap();
    let cases = [
        ("/shows?page=2".to_owned(), 400, "page"),
        ("/shows?q=a&q=b".to_owned(), 400, "q"),
        (format!("/shows?q={}", "a+".repeat(200)), 422, "q"),
        ("/shows?limit=0".to_owned(), 422, "limit"),
        ("/shows?limit=1001".to_owned(), 422, "limit"),
        ("/shows?sort=popularity".to_owned(), 422, "sort"),
        ("/shows?sort=relevance".to_owned(), 422, "sort"),
        ("/shows?premiered_from=soon".to_owned(), 422, "premiered_from"),
        ("/shows?premiered_to=2019-02-30".to_owned(), 422, "premiered_to"),
        ("/shows?min_rating=11".to_owned(), 422, "min_rating"),
        ("/shows?min_rating=NaN".to_owned(), 422, "min_rating"),
        ("/shows?max_rating=high".to_owned(), 422, "max_rating"),
        ("/shows?fields=id,nme".to_owned(), 422, "fields"),
        ("/shows?facets=genre,year".to_owned(), 422, "facets"),
        ("/shows?genres=Drama".to_owned(), 400, "genres"),
        ("/shows?day=Monday&day=Sunday".to_owned(), 400, "day"),
        ("/shows?cursor=nonsense".to_owned(), 422, "cursor"),
        (format!("/shows?cursor={cursor}"), 422, "cursor"),
        (format!("/shows?sort=name&language=English&cursor={cursor}"), 422, "cursor"),
        (format!("/shows?sort=name&cursor={cursor}A"), 422, "cursor"),
        ("/shows/x/cast".to_owned(), 422, "id"),
        ("/shows/999999999/cast".to_owned(), 404, ""),
    ];
    for (path, status, parameter) in cases {
        let response = service.get(&path).send().await.unwrap();
        assert_eq!(response.status(), status, "{path}");
        assert_eq!(response.headers()["content-type"], "application/problem+json", "{path}");
        let problem = json_body(response).await;
        assert!(problem["detail"].as_str().unwrap().contains(parameter), "{path}: {problem}");
        if status == 422 {
            assert_eq!(problem["parameter"], parameter, "{path}");
        }
    }
    let whole = service.json(&format!("/shows?sort=name&cursor={cursor}")).await;
    assert_eq!(whole["shows"].as_array().unwrap().len(), 50);
    assert_ne!(whole["next_cursor"], json!(null));
}

/// Sends a request twice and returns the second response, which comes from the cache.
async fn cached(service: &Service, path: &str) -> (String, Value) {
    service.json(path).await;
    let response = service.get(path).send().await.unwrap();
    let tag = response.headers()["etag"].to_str().unwrap().to_owned();
    (tag, json_body(response).await)
}

#[tokio::test]
async fn what_was_sent_is_not_sent_once_another_snapshot_is_published() {
    let (env, service) = TestEnv::published_and_served().await;
    let (first, ten) = cached(&service, "/shows/top_shows").await;
    assert_eq!(ten.as_array().unwrap().len(), 10);

    // By this process.
    let run = service.submit("?top=3").await;
    service.wait_for_end(&run).await;
    let (second, three) = cached(&service, "/shows/top_shows").await;
    assert_eq!(three.as_array().unwrap().len(), 3);

    // By another one.
    let update = env.tvshows(&["update", "--top", "7"]).output().await.unwrap();
    assert!(update.status.success());
    let conditional = service.get("/shows/top_shows").header("If-None-Match", &second);
    let response = conditional.send().await.unwrap();
    assert_eq!(response.status(), 200);
    let third = response.headers()["etag"].to_str().unwrap().to_owned();
    assert_eq!(json_body(response).await.as_array().unwrap().len(), 7);
    assert!(first != second && second != third);
    let conditional = service.get("/shows/top_shows").header("If-None-Match", &third);
    assert_eq!(conditional.send().await.unwrap().status(), 304);
}

#[tokio::test]
async fn a_show_that_was_asked_for_in_vain_is_found_once_it_is_published() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    for _ in 0..2 {
        assert_eq!(service.get("/shows/1").send().await.unwrap().status(), 404);
    }
    assert!(env.update().await.status.success());
    assert_eq!(service.json("/shows/1").await["id"], 1);
}
