//! Tests the client against a mock server, and against raw sockets for faults that an HTTP server cannot
//! produce.

mod endpoints;
mod examples;
mod faults;
mod models;
mod recorded;
mod requests;
mod upstream;
