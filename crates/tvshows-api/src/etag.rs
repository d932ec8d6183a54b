use actix_web::http::header::{EntityTag, Header, IfNoneMatch};
use actix_web::{HttpMessage, HttpRequest};

/// The tag of a status is its revision.
pub(crate) fn of(revision: u64) -> EntityTag {
    EntityTag::new_strong(revision.to_string())
}

/// Whether the client says that it has `tag` already.
pub(crate) fn is_known(request: &impl HttpMessage, tag: &EntityTag) -> bool {
    match IfNoneMatch::parse(request) {
        Ok(IfNoneMatch::Any) => request.headers().contains_key(IfNoneMatch::name()),
        Ok(IfNoneMatch::Items(tags)) => tags.iter().any(|known| known.weak_eq(tag)),
        Err(_) => false,
    }
}

/// Whether the client says in the header `previous_signature` that it has this revision already.
pub(crate) fn is_previous_signature(request: &HttpRequest, revision: u64) -> bool {
    let header = request.headers().get("previous_signature");
    header.is_some_and(|signature| signature.as_bytes() == revision.to_string().as_bytes())
}
