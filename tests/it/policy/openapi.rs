use tvshows_testkit::tvshows;

#[tokio::test]
async fn the_document_is_the_committed_one() {
    let output = tvshows(&["openapi"]).output().await.unwrap();
    let committed = include_str!("../../../docs/openapi.json");
    assert!(
        String::from_utf8(output.stdout).unwrap() == committed,
        "the API changed: `make openapi` updates docs/openapi.json"
    );
}
