//! The views for other programs.

use rusqlite::Connection;
use tvshows_core::conformance::fixtures::{publish, show};
use tvshows_core::{
    Catalog, ExternalDatabase, ExternalId, Facet, RawJson, RunQueue, Show, ShowFilter, ShowId,
    ShowQuery,
};
use tvshows_sqlite::SqliteStore;

fn json(text: &str) -> Option<RawJson> {
    RawJson::parse(text.into()).ok()
}

/// The rows of a query as text.
fn rows(connection: &Connection, sql: &str) -> Vec<String> {
    let mut select = connection.prepare(sql).unwrap();
    let width = select.column_count();
    let rows = select.query_map([], |row| {
        let cells = (0..width).map(|column| row.get::<_, rusqlite::types::Value>(column));
        let cells = cells.collect::<Result<Vec<_>, _>>()?;
        let text = |cell: &_| match cell {
            rusqlite::types::Value::Null => "-".to_owned(),
            rusqlite::types::Value::Integer(number) => number.to_string(),
            rusqlite::types::Value::Text(text) => text.clone(),
            other => format!("{other:?}"),
        };
        Ok(cells.iter().map(text).collect::<Vec<_>>().join("|"))
    });
    rows.unwrap().map(Result::unwrap).collect()
}

async fn connection_to(shows: Vec<Show>) -> (Connection, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tvshows.db");
    let store = SqliteStore::open(&path).await.unwrap();
    publish(&store, shows, &[]).await;
    store.close().await;
    (Connection::open(&path).unwrap(), folder)
}

#[tokio::test]
async fn values_inside_json_are_columns() {
    let country = r#"{"name":"United States","code":"US","timezone":"America/New_York"}"#;
    let full = Show {
        genres: vec!["Science-Fiction".into(), "Sci \"Fi\" \\".into()],
        network: json(&format!(r#"{{"id":8,"name":"HBO, \"the\"","country":{country}}}"#)),
        web_channel: json(r#"{"id":1,"name":"Netflix","country":null}"#),
        dvd_country: json(country),
        schedule: json(r#"{"time":"21:00","days":["Monday","Friday"]}"#),
        externals: json(r#"{"tvrage":24493,"thetvdb":121361,"imdb":"tt0944947"}"#),
        image: json(r#"{"medium":"https://m","original":"https://o"}"#),
        ..show(1)
    };
    let empty = Show {
        genres: Vec::new(),
        network: None,
        web_channel: None,
        dvd_country: None,
        schedule: json(r#"{"time":"","days":[]}"#),
        externals: json(r#"{"tvrage":null,"thetvdb":null,"imdb":null}"#),
        image: None,
        ..show(2)
    };
    let (connection, _folder) = connection_to(vec![full, empty]).await;
    let columns = "network_id, network_name, network_country, network_country_code, web_channel_id, \
                   web_channel_name, web_channel_country, web_channel_country_code, dvd_country, \
                   schedule_time, schedule_days, imdb, thetvdb, tvrage, image_medium, image_original";
    assert_eq!(
        rows(&connection, &format!("SELECT id, {columns} FROM Shows_Flat ORDER BY id")),
        [
            "1|8|HBO, \"the\"|United States|US|1|Netflix|-|-|United States|21:00|Monday,Friday|tt0944947|121361|24493|https://m|https://o",
            "2|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-|-",
        ]
    );
    let plain = "id, name, type, language, genres, status, premiered, ended, rating_average, weight, runtime, \
                 average_runtime, url, official_site, summary, updated, processed_at";
    assert_eq!(
        rows(&connection, &format!("SELECT {plain} FROM Shows_Flat")),
        rows(&connection, &format!("SELECT {plain} FROM All_Shows"))
    );
    assert_eq!(
        rows(&connection, "SELECT * FROM Show_Genres"),
        ["1|Science-Fiction", "1|Sci \"Fi\" \\"]
    );
    assert_eq!(rows(&connection, "SELECT * FROM Show_Days"), ["1|Monday", "1|Friday"]);
}

/// What another program may have written.
#[tokio::test]
async fn malformed_values_are_null_and_hide_no_other_show() {
    let (connection, folder) = connection_to((1..=6).map(show).collect()).await;
    connection
        .execute_batch(
            "UPDATE All_Shows SET schedule = '{bad', network = 'x', web_channel = '\"', dvd_country = '}',
                 externals = '{', image = '[', genres = 'a\"b,c\\d,,e' WHERE id = 1;
             UPDATE All_Shows SET schedule = '{\"days\":[1,null,\"\",\"Friday\"],\"time\":[]}', network = '[]',
                 web_channel = '5', dvd_country = '[1]', externals = '[1]', image = '\"\"', genres = '' WHERE id = 2;
             UPDATE All_Shows SET schedule = x'00ff', network = x'00ff', web_channel = x'', dvd_country = x'ff',
                 externals = x'ff', image = x'ff', genres = x'41' WHERE id = 3;
             UPDATE All_Shows SET schedule = '', network = '', web_channel = '', externals = '', image = '',
                 genres = ',' WHERE id = 4;
             UPDATE All_Shows SET externals = '{\"imdb\":{},\"thetvdb\":\"5\"}', genres = 7 WHERE id = 5;",
        )
        .unwrap();
    let names = "SELECT id, network_name, web_channel_name, dvd_country, imdb, thetvdb, image_medium FROM Shows_Flat";
    assert_eq!(
        rows(&connection, names),
        [
            "1|-|-|-|-|-|-",
            "2|-|-|-|-|-|-",
            "3|-|-|-|-|-|-",
            "4|-|-|-|-|-|-",
            "5|-|Netflix|-|{}|5|-",
            "6|-|Netflix|-|tt1|5|-"
        ]
    );
    assert_eq!(rows(&connection, "SELECT * FROM Shows_Flat").len(), 6);
    assert_eq!(
        rows(&connection, "SELECT * FROM Show_Genres"),
        ["1|a\"b", "1|c\\d", "1|e", "3|A", "5|7", "6|Drama", "6|Action"]
    );
    assert_eq!(rows(&connection, "SELECT * FROM Show_Days WHERE show_id < 5"), ["2|Friday"]);

    let store = SqliteStore::open(&folder.path().join("tvshows.db")).await.unwrap();
    assert_eq!(store.stats().await.unwrap().tables.all_shows, 6);
    let facets = [(Facet::Network, "netflix".parse().unwrap())].into();
    let filter = ShowFilter { facets, ..ShowFilter::default() };
    let query = ShowQuery { filter, limit: 10, ..ShowQuery::default() };
    let shows = store.shows(query).await.unwrap().shows;
    assert_eq!(shows.iter().map(|show| show.id.0).collect::<Vec<_>>(), [5, 6]);
    let thetvdb = ExternalId::parse(ExternalDatabase::Thetvdb, "5").unwrap();
    assert_eq!(store.show(thetvdb.into()).await.unwrap().unwrap().id, ShowId(5));
}
