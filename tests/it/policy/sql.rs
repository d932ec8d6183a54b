//! Values from requests never become part of an SQL statement.

use tvshows_testkit::{TestEnv, json_body};

const PARAMETERS: [&str; 13] = [
    "q",
    "language",
    "genre",
    "status",
    "type",
    "network",
    "premiered_from",
    "premiered_to",
    "min_rating",
    "sort",
    "limit",
    "cursor",
    "fields",
];

const INJECTIONS: [&str; 5] = [
    "' OR '1'='1",
    "\" OR 1=1 --",
    "x'; DROP TABLE All_Shows; --",
    "') UNION SELECT * FROM All_Shows --",
    "%' OR name LIKE '%",
];

#[tokio::test]
async fn sql_in_a_request_stays_a_value() {
    let (env, service) = TestEnv::published_and_served().await;
    let tables = env.tables();
    let all = service.json("/shows").await;
    for injection in INJECTIONS {
        for parameter in PARAMETERS {
            let request = service.get("/shows").query(&[(parameter, injection)]);
            let response = request.send().await.unwrap();
            let status = response.status().as_u16();
            assert!([200, 422].contains(&status), "{parameter}={injection}: {status}");
            let list = json_body(response).await;
            assert_ne!(list["shows"], all["shows"], "{parameter}={injection}");
        }
        let encoded: Vec<_> = injection.bytes().map(|byte| format!("%{byte:02x}")).collect();
        for route in ["/shows", "/pipeline/status", "/export"] {
            let path = format!("{route}/{}", encoded.concat());
            let status = service.get(&path).send().await.unwrap().status();
            assert!(status.is_client_error(), "{path}: {status}");
        }
    }
    assert!(env.tables() == tables);
}
