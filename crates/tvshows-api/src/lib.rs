#![doc = include_str!("../README.md")]

mod access;
mod answers;
mod body;
mod connection;
mod correlation;
mod cursor;
mod dashboard;
mod download;
mod etag;
#[cfg(any(test, fuzzing))]
pub mod fuzzing;
mod headers;
mod http_metrics;
mod observe;
mod openapi;
mod origins;
mod post_limit;
mod problem;
mod query;
mod routes;
mod server;
mod shows_query;
mod statuses;
mod telemetry;
mod token;

pub use access::Access;
pub use correlation::Correlation;
pub use openapi::openapi;
pub use origins::{Origins, WrongOrigin};
pub use server::{Services, server};
pub use telemetry::Telemetry;
pub use token::{ApiToken, WrongToken};
