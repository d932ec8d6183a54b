//! Tests the client against a mock server, and against raw sockets for faults that an HTTP server cannot
//! produce.

mod endpoints;
mod examples;
mod faults;
mod get;
mod models;
mod recorded;
mod redirects;
mod requests;
mod upstream;
