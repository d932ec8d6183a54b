use std::cell::RefCell;
use std::hash::{DefaultHasher, Hash, Hasher};

use actix_web::http::header::{
    CACHE_CONTROL, ETAG, EntityTag, Header, HeaderValue, IF_NONE_MATCH, IfNoneMatch,
    InvalidHeaderValue, TryIntoHeaderValue,
};
use actix_web::{HttpMessage, HttpRequest, HttpResponse, HttpResponseBuilder};
use jiff::civil::Date;
use tvshows_core::SnapshotVersion;

/// What a tag stands for: a snapshot, or what begins on a day in it.
type TaggedData = (SnapshotVersion, Option<Date>);

thread_local! {
    /// The tag of the snapshot that was last sent: formatting it takes a twentieth of the time of a cached response.
    static LAST_SENT: RefCell<Option<(TaggedData, HeaderValue)>> = RefCell::default();
}

/// The tag of a run's status.
pub(crate) fn for_revision(revision: u64) -> EntityTag {
    EntityTag::new_strong(revision.to_string())
}

/// The tag of all data in a snapshot, or of what begins on a day. Weak, because responses may be compressed. It includes
/// the release, because the next one may render the same data differently.
fn for_snapshot(snapshot: &SnapshotVersion, day: Option<Date>) -> EntityTag {
    let day = day.map_or_else(String::new, |day| format!("-{day}"));
    EntityTag::new_weak(format!("{}-{}{day}", snapshot.etag(), env!("CARGO_PKG_VERSION")))
}

/// The tag of content that is part of the executable. Weak, because it may be compressed.
pub(crate) fn for_content(content: &[u8]) -> EntityTag {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    EntityTag::new_weak(format!("{:x}", hasher.finish()))
}

/// Adds the tag of a snapshot, and marks the response as its data.
pub(crate) fn with_snapshot(
    mut response: HttpResponseBuilder,
    snapshot: SnapshotVersion,
    day: Option<Date>,
) -> HttpResponseBuilder {
    response.extensions_mut().insert(snapshot);
    let tag = LAST_SENT.with_borrow_mut(|last| match last {
        Some((last, tag)) if *last == (snapshot, day) => Some(tag.clone()),
        _ => {
            let tag = for_snapshot(&snapshot, day).try_into_value().ok()?;
            *last = Some(((snapshot, day), tag.clone()));
            Some(tag)
        }
    });
    match tag {
        Some(tag) => with_etag(response, tag),
        None => response,
    }
}

/// Adds the tag, and makes clients revalidate the response before they reuse it.
pub(crate) fn with_etag(
    mut response: HttpResponseBuilder,
    tag: impl TryIntoHeaderValue<Error: Into<InvalidHeaderValue>>,
) -> HttpResponseBuilder {
    response.insert_header((ETAG, tag)).insert_header((CACHE_CONTROL, "no-cache"));
    response
}

/// A 304 response, if `If-None-Match` has the tag of the snapshot.
pub(crate) fn same_snapshot(
    request: &HttpRequest,
    snapshot: SnapshotVersion,
    day: Option<Date>,
) -> Option<HttpResponse> {
    // Most requests name no tag, and formatting it takes longer than finding that out.
    (request.headers().contains_key(IF_NONE_MATCH)
        && if_none_match(request, &for_snapshot(&snapshot, day)))
    .then(|| with_snapshot(HttpResponse::NotModified(), snapshot, day).finish())
}

/// A 304 response, if `If-None-Match` has the tag.
pub(crate) fn not_modified(request: &HttpRequest, tag: &EntityTag) -> Option<HttpResponse> {
    if_none_match(request, tag)
        .then(|| with_etag(HttpResponse::NotModified(), tag.clone()).finish())
}

/// Whether `If-None-Match` has the tag.
pub(crate) fn if_none_match(request: &impl HttpMessage, tag: &EntityTag) -> bool {
    if !request.headers().contains_key(IfNoneMatch::name()) {
        return false;
    }
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => true,
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}
