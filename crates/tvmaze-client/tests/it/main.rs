//! The client against a mock server, and against sockets that misbehave in ways no HTTP server does.

mod endpoints;
mod examples;
mod faults;
mod recorded;
mod requests;
mod upstream;
