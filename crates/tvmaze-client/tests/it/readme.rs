use tvmaze_client::{Client, Error, RetryPolicy, ShowId};
use wiremock::matchers::path;
use wiremock::{Mock, MockServer, ResponseTemplate};

#[tokio::test]
async fn prints_the_name_of_a_show() -> Result<(), Error> {
    let server = MockServer::start().await;
    let show = serde_json::json!({"id": 82, "name": "Game of Thrones"});
    let found = ResponseTemplate::new(200).set_body_json(show);
    Mock::given(path("/shows/82")).respond_with(found).mount(&server).await;
    let client = Client::builder().base_url(server.uri()).retry(RetryPolicy::none()).build()?;

    assert_eq!(client.show(ShowId(82)).await?.name, "Game of Thrones");
    // All other paths return 404.
    assert!(client.show(ShowId(83)).await.unwrap_err().is_not_found());
    Ok(())
}
