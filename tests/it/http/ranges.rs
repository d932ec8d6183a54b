//! Ranges of files, for programs that read remote files, and for continuing a download.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use reqwest::header::HeaderMap;
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::task::JoinSet;
use tvmaze_sim::Dataset;
use tvshows_testkit::{Service, TestEnv, eventually, json_body};

use crate::packages::readers;

const FILES: [&str; 4] = [
    "/export/all_shows.parquet",
    "/export/top_shows.parquet",
    "/export/top_shows_cast.parquet",
    "/export/tvshows.db",
];

struct Response {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Response {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

async fn get(service: &Service, path: &str, headers: &[(&str, &str)]) -> Response {
    let request = headers
        .iter()
        .fold(service.get(path), |request, (name, value)| request.header(*name, *value));
    let response = request.send().await.unwrap();
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    Response { status, headers, body: response.bytes().await.unwrap().into() }
}

#[tokio::test]
async fn a_range_is_that_part_of_the_whole_file() {
    let (_env, service) = TestEnv::published_and_served().await;
    for path in FILES {
        let head = service.head(path).send().await.unwrap();
        let whole = get(&service, path, &[]).await;
        let (bytes, length) = (&whole.body[..], whole.body.len());
        for headers in [head.headers(), &whole.headers] {
            assert_eq!(headers["content-length"], length.to_string(), "{path}");
            assert_eq!(headers["accept-ranges"], "bytes", "{path}");
            assert!(headers["etag"].to_str().unwrap().starts_with('"'), "{path}: a strong tag");
        }
        let last = length - 1;
        for (range, first, end) in [
            ("0-0".to_owned(), 0, 1),
            ("4-99".to_owned(), 4, 100),
            (format!("{}-{last}", last - 7), last - 7, length),
            (format!("{last}-{}", last + 100), last, length),
            ("-8".to_owned(), length - 8, length),
            (format!("-{}", length + 1), 0, length),
            ("100-".to_owned(), 100, length),
        ] {
            let part = get(&service, path, &[("range", &format!("bytes={range}"))]).await;
            assert_eq!(part.status, 206, "{path} {range}");
            assert!(part.body == bytes[first..end], "{path} {range}");
            let content_range = format!("bytes {first}-{}/{length}", end - 1);
            assert_eq!(part.header("content-range"), content_range, "{path}");
            assert_eq!(part.header("content-length"), (end - first).to_string(), "{path}");
            assert_eq!(part.header("etag"), whole.header("etag"), "{path}");
        }
        for range in ["bytes=0-1,4-5", "bytes=5-4", "bytes=x", "rows=0-1", "bytes"] {
            let all = get(&service, path, &[("range", range)]).await;
            assert_eq!((all.status, all.body == bytes), (200, true), "{path} {range}");
        }
        for range in [format!("bytes={length}-"), "bytes=-0".to_owned()] {
            let refused = service.get(path).header("range", &range).send().await.unwrap();
            assert_eq!(refused.status(), 416, "{path} {range}");
            assert_eq!(refused.headers()["content-range"], format!("bytes */{length}"));
            assert_eq!(json_body(refused).await["code"], "range_not_satisfiable");
        }
        let partial = service.head(path).header("range", "bytes=0-9").send().await.unwrap();
        assert_eq!(partial.status(), 206, "DuckDB in browsers asks for this");
        assert_eq!(partial.headers()["content-length"], "10");
        let compressed = [("range", "bytes=0-9"), ("accept-encoding", "gzip, br")];
        assert!(get(&service, path, &compressed).await.body == bytes[..10], "{path}");
    }
    let streamed = get(&service, "/export/all_shows.csv", &[("range", "bytes=0-9")]).await;
    assert_eq!((streamed.status, streamed.header("accept-ranges")), (200, ""));
}

/// The requests of `DuckDB` for `SELECT count(*)`: HEAD, the last eight bytes, the footer.
#[tokio::test]
async fn the_number_of_rows_is_in_a_few_bytes_at_the_end() {
    let (env, service) = TestEnv::published_and_served().await;
    let path = "/export/all_shows.parquet";
    let head = service.head(path).send().await.unwrap();
    let length: usize = head.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let range = async |first: usize, last: usize| {
        get(&service, path, &[("range", &format!("bytes={first}-{last}"))]).await.body
    };
    let end = range(length - 8, length - 1).await;
    assert_eq!(&end[4..], b"PAR1");
    let footer = usize::try_from(u32::from_le_bytes(end[..4].try_into().unwrap())).unwrap();
    let footer = range(length - 8 - footer, length - 9).await;
    assert!(footer.len() < length / 4, "{} of {length}", footer.len());
    assert!(env.path("tvshows.db").exists());
}

#[tokio::test]
async fn parts_of_two_snapshots_are_not_mixed() {
    let (env, service) = TestEnv::published_and_served().await;
    let mut old = BTreeMap::new();
    for path in FILES {
        old.insert(path, get(&service, path, &[]).await);
    }
    env.simulator.set_dataset(Dataset::synthetic(2_000, 1));
    let run = service.submit("?mode=full").await;
    assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
    for (path, old) in old {
        let new = get(&service, path, &[]).await;
        let (old_tag, new_tag) = (old.header("etag"), new.header("etag"));
        assert_ne!(old_tag, new_tag, "{path}");
        let range = ("range", "bytes=100-199");
        let again = get(&service, path, &[range, ("if-range", old_tag)]).await;
        assert!(again.status == 200 && again.body == new.body, "{path}: the whole new file");
        let refused = service.get(path).header("range", range.1).header("if-match", old_tag);
        let refused = refused.send().await.unwrap();
        assert_eq!(refused.status(), 412, "{path}");
        assert_eq!(json_body(refused).await["code"], "file_changed");
        for validator in ["if-range", "if-match"] {
            let part = get(&service, path, &[range, (validator, new_tag)]).await;
            assert!(part.status == 206 && part.body == new.body[100..200], "{path} {validator}");
            assert_eq!(part.header("etag"), new_tag, "{path}");
        }
        let weak = format!("W/{new_tag}");
        let weakly = get(&service, path, &[range, ("if-range", &weak)]).await;
        assert_eq!(weakly.status, 200, "{path}: a weak tag does not identify bytes");
        let unchanged = get(&service, path, &[range, ("if-none-match", new_tag)]).await;
        assert_eq!(unchanged.status, 304, "{path}");
    }
}

/// How many files without a name a process has open.
#[cfg(target_os = "linux")]
fn unnamed_files(service: &Service) -> usize {
    let folder = format!("/proc/{}/fd", service.process.id().unwrap());
    let files = std::fs::read_dir(folder).unwrap().flatten();
    let targets = files.filter_map(|entry| std::fs::read_link(entry.path()).ok());
    targets.filter(|target| target.to_string_lossy().ends_with("(deleted)")).count()
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn files_are_deleted_when_a_new_snapshot_is_published() {
    let (env, service) = TestEnv::published_and_served().await;
    for path in FILES {
        get(&service, path, &[]).await;
    }
    assert_eq!(unnamed_files(&service), FILES.len());
    env.simulator.set_dataset(Dataset::synthetic(2_000, 1));
    let run = service.submit("?mode=full").await;
    service.wait_for_end(&run).await;
    eventually(async || unnamed_files(&service) == 0).await;
}

#[tokio::test]
async fn a_file_is_rendered_once_and_leaves_nothing() {
    let (env, mut service) = TestEnv::published_and_served().await;
    let names = || {
        let entries = std::fs::read_dir(env.folder()).unwrap();
        let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let before = names();
    let path = "/export/tvshows.db";
    let mut requests = JoinSet::new();
    // More than the number of concurrent exports.
    for _ in 0..6 {
        let request = service.get(path).send();
        requests.spawn(async { request.await.unwrap().error_for_status().unwrap() });
    }
    let downloads = requests.join_all().await;
    let tag = downloads[0].headers()["etag"].clone();
    assert!(downloads.iter().all(|download| download.headers()["etag"] == tag));
    assert_eq!(names(), before);
    let whole = get(&service, path, &[]).await.body;
    service.terminate().await;
    let restarted = Service::start(&env, &[]).await;
    let again = get(&restarted, path, &[]).await;
    assert_eq!(again.body == whole, again.header("etag") == tag, "a tag identifies the content");
}

#[tokio::test]
async fn the_copy_of_the_database_has_every_finished_run() {
    let (env, service) = TestEnv::published_and_served().await;
    let runs = async || {
        let path = env.path("copy.db");
        std::fs::write(&path, get(&service, "/export/tvshows.db", &[]).await.body).unwrap();
        let copy = rusqlite::Connection::open(&path).unwrap();
        copy.query_row("SELECT count(*) FROM Runs", [], |row| row.get::<_, u32>(0)).unwrap()
    };
    assert_eq!(runs().await, 1);
    let run = service.submit("").await;
    service.wait_for_end(&run).await;
    assert_eq!(runs().await, 2, "although nothing was published");
}

#[cfg(unix)]
#[tokio::test]
async fn curl_continues_a_download() {
    let (env, service) = TestEnv::published_and_served().await;
    let whole = get(&service, "/export/tvshows.db", &[]).await.body;
    let file = env.path("partial.db");
    std::fs::write(&file, &whole[..whole.len() / 3]).unwrap();
    let mut curl = Command::new("curl");
    curl.args(["--silent", "--fail", "--continue-at", "-", "--output"]).arg(&file);
    let status = curl.arg(format!("{}/export/tvshows.db", service.base_url)).status().await;
    assert!(status.unwrap().success());
    assert!(std::fs::read(&file).unwrap() == whole);
}

/// Forwards connections to a service, and counts the bytes of its responses.
struct CountingProxy {
    base_url: String,
    response_bytes: Arc<AtomicU64>,
}

impl CountingProxy {
    async fn start(service: &Service) -> CountingProxy {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let response_bytes = Arc::new(AtomicU64::new(0));
        let (address, counter) = (service.address().to_owned(), Arc::clone(&response_bytes));
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let server = TcpStream::connect(&address).await.unwrap();
                let counter = Arc::clone(&counter);
                tokio::spawn(async move {
                    let (mut requests, mut responses) = client.into_split();
                    let (mut from_server, mut to_server) = server.into_split();
                    tokio::spawn(async move { copy(&mut requests, &mut to_server).await });
                    let mut buffer = vec![0; 64 * 1024];
                    while let Ok(size @ 1..) = from_server.read(&mut buffer).await {
                        counter.fetch_add(size as u64, Ordering::Relaxed);
                        if responses.write_all(&buffer[..size]).await.is_err() {
                            break;
                        }
                    }
                });
            }
        });
        CountingProxy { base_url, response_bytes }
    }
}

const READERS: [(&str, &str); 3] = [
    (
        "polars, the number of rows",
        "print(polars.scan_parquet(URL).select(polars.len()).collect().item())",
    ),
    ("polars, a column", "print(len(polars.scan_parquet(URL).select('id').collect()))"),
    (
        "fsspec, the end",
        "file = fsspec.open(URL, block_size=2**14).open(); file.seek(-8, 2); print(2300 if file.read()[4:] == b'PAR1' else 0)",
    ),
];

#[tokio::test]
async fn readers_fetch_only_what_they_need() {
    let Some(python) = readers("readers_fetch_only_what_they_need") else { return };
    let (_env, service) = TestEnv::published_and_served().await;
    let path = "/export/all_shows.parquet";
    let file_bytes = get(&service, path, &[]).await.body.len() as u64;
    for (name, code) in READERS {
        let proxy = CountingProxy::start(&service).await;
        let code = format!("import polars, fsspec\nURL = '{}{path}'\n{code}", proxy.base_url);
        let output = Command::new(&python).args(["-c", &code]).output().await.unwrap();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "2300", "{name}: {errors}");
        let read = proxy.response_bytes.load(Ordering::Relaxed);
        // polars reads the last 256 kB first.
        assert!(read < file_bytes * 2 / 3, "{name}: {read} of {file_bytes} bytes");
    }
}
