//! Cached responses and the entity tags that validate them.

pub(crate) mod cached_body;
pub(crate) mod etag;
pub(crate) mod rendered_files;
pub(crate) mod response_cache;
pub(crate) mod status_cache;
