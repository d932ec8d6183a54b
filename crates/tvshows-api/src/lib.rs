#![doc = include_str!("../README.md")]

mod cache;
mod calendar;
mod content;
mod dashboard;
mod excerpt;
mod extract;
mod file_response;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod middleware;
mod openapi;

mod problem;
mod router;
mod routes;
mod run_feeds;
mod schemas;
mod server;
mod state;
mod streaming_body;
#[cfg(test)]
mod testing;

pub use cache::response_cache::ResponseCache;
pub use middleware::access::{AccessPolicy, DEFAULT_CONNECTIONS};
pub use middleware::api_token::{ApiToken, InvalidApiToken};
pub use middleware::client_address::{ParseNetworkError, TrustedProxies};
pub use middleware::cors::{AllowedOrigins, ParseOriginError};
pub use middleware::request_id::RequestContext;
pub use openapi::openapi;
pub use server::{health_server, server};
pub use state::{AppState, Telemetry};
