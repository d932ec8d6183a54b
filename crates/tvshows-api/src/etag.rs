use actix_web::http::header::{CACHE_CONTROL, ETAG, EntityTag, Header, IfNoneMatch};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use tvshows_core::SnapshotVersion;

/// The tag of a status is its revision.
pub(crate) fn of(revision: u64) -> EntityTag {
    EntityTag::new_strong(revision.to_string())
}

/// The tag of all that is read of a snapshot. Weak, since an answer may be compressed or not.
pub(crate) fn of_snapshot(snapshot: &SnapshotVersion) -> EntityTag {
    EntityTag::new_weak(snapshot.tag())
}

/// Marks an answer as one that is asked for again each time, and not sent again while it is the same.
pub(crate) fn mark(mut response: HttpResponseBuilder, tag: EntityTag) -> HttpResponseBuilder {
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "no-cache"));
    response
}

/// The answer to a client that has `tag` already.
pub(crate) fn unchanged(request: &HttpRequest, tag: &EntityTag) -> Option<HttpResponse> {
    is_known(request, tag).then(|| mark(HttpResponse::NotModified(), tag.clone()).finish())
}

/// Whether the client says that it has `tag` already.
pub(crate) fn is_known(request: &impl HttpMessage, tag: &EntityTag) -> bool {
    if !request.headers().contains_key(IfNoneMatch::name()) {
        return false;
    }
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// Whether the client says in the header `previous_signature` that it has this revision already.
pub(crate) fn is_previous_signature(request: &HttpRequest, revision: u64) -> bool {
    let header = request.headers().get("previous_signature");
    header.is_some_and(|signature| signature.as_bytes() == revision.to_string().as_bytes())
}
