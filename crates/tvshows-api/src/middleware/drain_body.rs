use std::time::Duration;

use actix_web::HttpMessage;
use actix_web::dev::ServiceRequest;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use futures::StreamExt;
use tokio::time::timeout;

use crate::problem::Problem;

/// More than clients send by default to a service that uses no bodies.
const MAX_BODY_BYTES: usize = 64 * 1024;
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads and discards the body of a request, so that the connection can be reused.
pub(crate) async fn drain(request: &mut ServiceRequest) -> Result<(), Problem> {
    let length = request.headers().get(CONTENT_LENGTH);
    let is_chunked = request.headers().contains_key(TRANSFER_ENCODING);
    // Without either, there is no body: the payload would be the rest of the connection, as for an upgrade.
    if length.is_none() && !is_chunked {
        return Ok(());
    }
    // The HTTP parser has already rejected a length that is not a number.
    let length = length.and_then(|length| length.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > MAX_BODY_BYTES as u64) {
        return Err(Problem::BodyTooLarge);
    }
    let mut body = request.take_payload();
    let read = async {
        let mut bytes = 0;
        while let Some(chunk) = body.next().await {
            bytes += chunk.map_err(|_| Problem::UnreadableBody)?.len();
            if bytes > MAX_BODY_BYTES {
                return Err(Problem::BodyTooLarge);
            }
        }
        Ok(())
    };
    timeout(BODY_TIMEOUT, read).await.unwrap_or(Err(Problem::BodyTooSlow))
}
