use std::time::Duration;

/// Longer than any correct wait in a test; only a hang lasts longer.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(30);

/// Polls a condition until it holds.
pub async fn eventually(mut condition: impl AsyncFnMut() -> bool) {
    let poll = async {
        while !condition().await {
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(TIMEOUT, poll).await.expect("the condition never held");
}
