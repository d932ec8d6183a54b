//! Responses with a whole file or a range of it (RFC 9110, sections 13 and 14).

use std::io;
use std::sync::Arc;

use actix_web::body::SizedStream;
use actix_web::http::StatusCode;
use actix_web::http::header::{
    ACCEPT_RANGES, ByteRangeSpec, ContentRange, ContentRangeSpec, EntityTag, Header, IfMatch,
    IfRange, Range,
};
use actix_web::web::Bytes;
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder};
use futures::{Stream, stream};
use tokio::time::Instant;

use crate::cache::etag;
use crate::cache::rendered_files::RenderedFile;
use crate::problem::Problem;
use crate::streaming_body::{CHUNK_BYTES, MAX_DURATION};

/// Completes `response` with what `request` asks for. A request for several ranges gets the whole file.
///
/// HEAD with a range gets the header of the part, which some readers in browsers require.
pub(crate) fn file_response(
    request: &HttpRequest,
    file: Arc<RenderedFile>,
    mut response: HttpResponseBuilder,
) -> Result<HttpResponse, Problem> {
    let (tag, length) = (&file.tag, file.length);
    if !if_match(request, tag) {
        return Err(Problem::FileChanged);
    }
    if let Some(response) = etag::not_modified(request, tag) {
        return Ok(response);
    }
    response.insert_header((ACCEPT_RANGES, "bytes"));
    let mut response = etag::with_etag(response, tag.clone());
    let Some(range) = requested_range(request, tag) else {
        return Ok(response.body(SizedStream::new(length, read(file, 0, length))));
    };
    let (first, last) =
        range.to_satisfiable_range(length).ok_or(Problem::RangeNotSatisfiable { length })?;
    let range = Some((first, last));
    let range = ContentRangeSpec::Bytes { range, instance_length: Some(length) };
    response.status(StatusCode::PARTIAL_CONTENT).insert_header(ContentRange(range));
    let end = last + 1;
    Ok(response.body(SizedStream::new(end - first, read(file, first, end))))
}

fn if_match(request: &HttpRequest, tag: &EntityTag) -> bool {
    !request.headers().contains_key(IfMatch::name())
        || match IfMatch::parse(request) {
            Ok(IfMatch::Any) => true,
            Ok(IfMatch::Items(tags)) => tags.iter().any(|known| known.strong_eq(tag)),
            Err(_) => false,
        }
}

/// The only range that the client asks for, unless it wants the whole file if that has changed since.
fn requested_range(request: &HttpRequest, tag: &EntityTag) -> Option<ByteRangeSpec> {
    let Ok(Range::Bytes(ranges)) = Range::parse(request) else { return None };
    let [range] = &ranges[..] else { return None };
    let is_unchanged = !request.headers().contains_key(IfRange::name())
        || matches!(IfRange::parse(request), Ok(IfRange::EntityTag(known)) if known.strong_eq(tag));
    is_unchanged.then(|| range.clone())
}

/// Reads from `start` to before `end`, as fast as the client accepts it.
fn read(
    file: Arc<RenderedFile>,
    start: u64,
    end: u64,
) -> impl Stream<Item = io::Result<Bytes>> + 'static {
    let deadline = Instant::now() + MAX_DURATION;
    stream::try_unfold((file, start), move |(file, start)| async move {
        if start == end {
            return Ok(None);
        }
        if Instant::now() > deadline {
            return Err(io::ErrorKind::TimedOut.into());
        }
        let size = usize::try_from(end - start).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        let chunk = file.read(start, size).await?;
        let next = start + chunk.len() as u64;
        Ok(Some((chunk, (file, next))))
    })
}
