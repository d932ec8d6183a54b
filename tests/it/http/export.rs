//! `/export`, and what browsers of other origins may read.

use rusqlite::types::Value as Cell;
use serde_json::{Value, json};
use tvshows_testkit::{HANGING_PAGE, Service, TestEnv, dump_tables, json_body};

const TABLES: [&str; 6] =
    ["All_Shows", "Top_Shows", "Top_Shows_Cast", "Episodes", "Show_Cast", "Runs"];

/// The rows of a table and the names of its columns.
fn rows(env: &TestEnv, table: &str) -> (Vec<String>, Vec<Vec<Cell>>) {
    let database = env.connection();
    let mut select = database.prepare(&format!("SELECT * FROM {table}")).unwrap();
    let names: Vec<_> = select.column_names().into_iter().map(str::to_owned).collect();
    let width = names.len();
    let rows = select.query_map([], |row| (0..width).map(|column| row.get(column)).collect());
    (names, rows.unwrap().map(Result::unwrap).collect())
}

#[tokio::test]
async fn a_csv_is_its_table() {
    let (env, service) = super::schedule::published().await;
    for table in TABLES {
        let path = format!("/export/{}.csv", table.to_lowercase());
        let response = service.get(&path).send().await.unwrap();
        let name = format!("attachment; filename=\"{}.csv\"", table.to_lowercase());
        assert_eq!(response.headers()["content-disposition"], name);
        let text = response.text().await.unwrap();
        let (names, rows) = rows(&env, table);
        let mut reader = csv::Reader::from_reader(text.as_bytes());
        assert_eq!(reader.headers().unwrap(), names);
        let cell = |cell: &Cell| match cell {
            Cell::Null => String::new(),
            Cell::Integer(number) => number.to_string(),
            Cell::Real(number) => format!("{number:?}"),
            Cell::Text(text) => text.clone(),
            Cell::Blob(_) => unreachable!("no column holds blobs"),
        };
        let expected: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(cell).collect()).collect();
        let read: Vec<Vec<String>> = reader.deserialize().map(Result::unwrap).collect();
        assert!(read == expected && !read.is_empty(), "{table}");
    }
}

#[tokio::test]
async fn a_filtered_export_has_the_shows_of_the_list() {
    let (env, service) = TestEnv::published_and_served().await;
    for filters in [
        "genre=drama",
        "q=the&country=us&max_rating=8",
        "network=-",
        "day=sunday&premiered_from=2015",
        "genre=nothing",
        "q=%3F",
    ] {
        let mut listed = Vec::new();
        let mut cursor = String::new();
        loop {
            let path = format!("/shows?{filters}&sort=id&limit=500&fields=id&cursor={cursor}");
            let list = service.json(&path).await;
            let shows = list["shows"].as_array().unwrap().iter();
            listed.extend(shows.map(|show| show["id"].as_u64().unwrap()));
            let Some(next) = list["next_cursor"].as_str() else { break };
            cursor = next.to_owned();
        }
        let text = async |format: &str| {
            let file = service.get(&format!("/export/all_shows.{format}?{filters}"));
            let file = file.send().await.unwrap();
            assert_eq!(file.status(), 200, "{filters}");
            file.text().await.unwrap()
        };
        let ndjson = text("ndjson").await;
        let exported = ndjson
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap()["id"].as_u64().unwrap());
        assert_eq!(exported.collect::<Vec<_>>(), listed, "{filters}");
        let csv = text("csv").await;
        assert_eq!(csv::Reader::from_reader(csv.as_bytes()).records().count(), listed.len());
    }
    let tag = async |query: &str| {
        let response = service.get(&format!("/export/all_shows.csv{query}")).send().await.unwrap();
        response.headers()["etag"].to_str().unwrap().to_owned()
    };
    let drama = tag("?genre=drama").await;
    let again = service.get("/export/all_shows.csv?genre=drama").header("if-none-match", &drama);
    assert_eq!(again.send().await.unwrap().status(), 304);
    assert!(env.tvshows(&["update", "--top", "3"]).output().await.unwrap().status.success());
    assert_ne!(tag("?genre=drama").await, drama);

    for (path, status, word) in [
        ("all_shows.csv?genres=drama", 400, "genres"),
        ("all_shows.csv?sort=name", 400, "sort"),
        ("all_shows.csv?min_rating=11", 422, "min_rating"),
        ("top_shows.csv?genre=drama", 422, "all_shows"),
        ("top_shows_cast.parquet?q=x", 422, "all_shows"),
    ] {
        let refused = service.get(&format!("/export/{path}")).send().await.unwrap();
        assert_eq!(refused.status(), status, "{path}");
        let problem = json_body(refused).await;
        assert!(problem["detail"].as_str().unwrap().contains(word), "{path}: {problem}");
    }
}

#[tokio::test]
async fn a_csv_for_spreadsheets_holds_no_formula() {
    let (env, service) = TestEnv::published_and_served().await;
    env.connection().execute("UPDATE Top_Shows SET name = '=1+1'", []).unwrap();
    let text = async |query: &str| {
        let response = service.get(&format!("/export/top_shows.csv{query}")).send().await.unwrap();
        assert_eq!(response.status(), 200);
        // Bytes, because reading text drops a byte order mark.
        String::from_utf8(response.bytes().await.unwrap().into()).unwrap()
    };
    let standard = text("").await;
    assert!(standard.starts_with("id,name,") && standard.contains(",=1+1,"), "{standard}");
    assert_eq!(text("?dialect=standard").await, standard);
    let excel = text("?dialect=excel").await;
    assert_eq!(excel, format!("\u{feff}{}", standard.replace(",=1+1,", ",'=1+1,")));
}

#[tokio::test]
async fn an_ndjson_is_its_table_with_json_nested() {
    let (env, service) = super::schedule::published().await;
    for table in TABLES {
        let text = service.get(&format!("/export/{}.ndjson", table.to_lowercase()));
        let text = text.send().await.unwrap().text().await.unwrap();
        let (names, rows) = rows(&env, table);
        assert_eq!(text.lines().count(), rows.len(), "{table}");
        for (line, row) in text.lines().zip(rows) {
            let read: Value = serde_json::from_str(line).unwrap();
            for (name, cell) in names.iter().zip(row) {
                let expected = match (name.as_str(), cell) {
                    (_, Cell::Null) => Value::Null,
                    ("self" | "voice", Cell::Integer(number)) => json!(number == 1),
                    (_, Cell::Integer(number)) => json!(number),
                    (_, Cell::Real(number)) => json!(number),
                    ("genres", Cell::Text(text)) => {
                        text.split(',').filter(|genre| !genre.is_empty()).collect()
                    }
                    (
                        "schedule" | "network" | "web_channel" | "dvd_country" | "externals"
                        | "image" | "links",
                        Cell::Text(text),
                    ) if table == "All_Shows" => serde_json::from_str(&text).unwrap(),
                    ("extra" | "steps", Cell::Text(text)) => serde_json::from_str(&text).unwrap(),
                    (_, Cell::Text(text)) => json!(text),
                    (_, Cell::Blob(_)) => unreachable!("no column holds blobs"),
                };
                assert_eq!(read[name], expected, "{table}.{name}");
            }
        }
    }
}

#[tokio::test]
async fn a_parquet_begins_and_ends_as_one() {
    let (_env, service) = TestEnv::published_and_served().await;
    let response = service.get("/export/all_shows.parquet").send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "application/vnd.apache.parquet");
    let bytes = response.bytes().await.unwrap();
    assert_eq!((&bytes[..4], &bytes[bytes.len() - 4..]), (&b"PAR1"[..], &b"PAR1"[..]));
}

#[tokio::test]
async fn the_database_is_a_copy_without_what_a_run_has_staged() {
    let (env, service) = TestEnv::published_and_served().await;
    env.simulator.set_faults(&[HANGING_PAGE]);
    service.submit_and_stall("?mode=full").await;

    let copy = service.get("/export/tvshows.db").send().await.unwrap().bytes().await.unwrap();
    let path = env.path("copy.db");
    std::fs::write(&path, &copy).unwrap();
    assert_eq!(dump_tables(&path), env.tables());
    let copied = rusqlite::Connection::open(&path).unwrap();
    let count = |sql: &str| copied.query_row(sql, [], |row| row.get::<_, u32>(0)).unwrap();
    assert_eq!(count("SELECT count(*) FROM _Staged_Shows"), 0);
    assert_eq!(count("SELECT count(*) FROM Runs"), 2, "the history");
    assert_eq!(count("PRAGMA freelist_count"), 0);
    drop(copied);

    let leftovers = std::fs::read_dir(env.folder()).unwrap();
    let names = leftovers.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.contains("export")).count(), 0);
    let other = ["--database-path", path.to_str().unwrap()];
    let other = Service::start(&env, &other).await;
    let shows = service.json("/shows?q=the&limit=5").await;
    assert_eq!(other.json("/shows?q=the&limit=5").await["shows"], shows["shows"], "it serves");
}

#[tokio::test]
async fn exports_are_there_before_the_first_run_and_not_sent_again() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &[]).await;
    let text = async |path: &str| service.get(path).send().await.unwrap().text().await.unwrap();
    assert!(text("/export/top_shows.csv").await.starts_with("id,name,language"));
    assert_eq!(text("/export/all_shows.ndjson").await, "");
    for path in ["/export/all_shows.csv", "/export/top_shows_cast.parquet", "/export/tvshows.db"] {
        let first = service.get(path).send().await.unwrap();
        assert_eq!(first.status(), 200);
        let tag = first.headers()["etag"].clone();
        let again = service.get(path).header("if-none-match", &tag).send().await.unwrap();
        assert_eq!(again.status(), 304, "{path}");
        let head = service.head(path).send().await.unwrap();
        assert_eq!((head.status().as_u16(), &head.headers()["etag"]), (200, &tag), "{path}");
    }
    for path in
        ["/export/seasons.csv", "/export/all_shows.xlsx", "/export/all_shows", "/export/other.db"]
    {
        assert_eq!(service.get(path).send().await.unwrap().status(), 404, "{path}");
    }
}

#[tokio::test]
async fn browsers_of_other_origins_are_allowed_if_configured() {
    let env = TestEnv::new(&[]).await;
    let service = Service::start(&env, &["--cors-origins", "https://a.example"]).await;
    let from = |origin: &str| service.get("/shows").header("origin", origin).send();
    let let_in = from("https://a.example").await.unwrap();
    assert_eq!(let_in.headers()["access-control-allow-origin"], "https://a.example");
    assert!(let_in.headers()["access-control-expose-headers"].to_str().unwrap().contains("etag"));
    let other = from("https://b.example").await.unwrap();
    assert!(!other.headers().contains_key("access-control-allow-origin"));
    let closed = Service::start(&env, &[]).await;
    let response = closed.get("/shows").header("origin", "https://a.example").send().await.unwrap();
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("access-control-allow-origin"));
    let wrong = env.tvshows(&["serve", "--cors-origins", "a.example"]).output().await.unwrap();
    assert_eq!(wrong.status.code(), Some(2));
}

#[tokio::test]
async fn answers_are_compressed_as_the_client_likes() {
    let (_env, service) = TestEnv::published_and_served().await;
    // A client that does not decompress responses.
    let plain = reqwest::Client::builder().no_gzip().build().unwrap();
    for encoding in ["gzip", "br"] {
        let request = plain.get(format!("{}/shows", service.base_url));
        let response = request.header("accept-encoding", encoding).send().await.unwrap();
        assert_eq!(response.headers()["content-encoding"], encoding);
        assert!(response.headers()["vary"].to_str().unwrap().contains("accept-encoding"));
    }
    let request = service.get("/export/top_shows.parquet").header("accept-encoding", "gzip");
    let parquet = request.send().await.unwrap();
    assert_eq!(&parquet.bytes().await.unwrap()[..4], b"PAR1", "compressed by itself");
    assert_eq!(
        json_body(service.get("/shows?limit=1").send().await.unwrap()).await["shows"][0]["id"],
        1
    );
}
