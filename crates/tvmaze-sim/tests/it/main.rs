//! Tests of the public API, most of them over HTTP.

mod casts;
mod details;
mod faults;
mod lifecycle;
mod parsing;
mod payloads;
mod rate_limit;
mod recording;
mod search;
mod server;
mod support;
mod synthetic;
mod weekly;
