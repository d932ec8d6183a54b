use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use futures::StreamExt;
use tokio::time::timeout;

use crate::problem::Problem;

/// More than any client sends by habit to a service that takes nothing.
const MOST_BYTES: usize = 64 * 1024;
/// How long that may take.
const PATIENCE: Duration = Duration::from_secs(10);

/// Reads the body of a request to its end, so that the connection can be used again, or refuses it.
pub(crate) async fn discard(request: &mut ServiceRequest) -> Result<(), Problem> {
    let length = request.headers().get(CONTENT_LENGTH);
    let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
    // Without either, what follows is no body but the connection to its end, such as for an upgrade.
    if length.is_none() && !is_chunked {
        return Ok(());
    }
    // A length that is no number was refused before.
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MOST_BYTES as u64) {
        return Err(Problem::BodyTooLarge);
    }
    let mut body = request.take_payload();
    let reading = async {
        let mut bytes = 0;
        while let Some(chunk) = body.next().await {
            bytes += chunk.map_err(|_| Problem::BodyUnreadable)?.len();
            if bytes > MOST_BYTES {
                return Err(Problem::BodyTooLarge);
            }
        }
        Ok(())
    };
    timeout(PATIENCE, reading).await.unwrap_or(Err(Problem::BodyTooSlow))
}
