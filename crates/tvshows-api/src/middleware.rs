//! The middleware for every request and connection, whatever the route.

pub(crate) mod access;
pub(crate) mod api_token;
pub(crate) mod cache_headers;
pub(crate) mod client_address;
pub(crate) mod connection_state;
pub(crate) mod cors;
pub(crate) mod drain_body;
pub(crate) mod framing;
pub(crate) mod idle_timeout;
pub(crate) mod metrics;
pub(crate) mod rate_limit;
pub(crate) mod rejection_log;
pub(crate) mod request_id;
pub(crate) mod request_log;
pub(crate) mod request_reader;
pub(crate) mod response_memory;
pub(crate) mod security_headers;
pub(crate) mod stream_limit;
