//! Tests the client against a mock server, and against raw sockets for faults that an HTTP server cannot
//! produce.

mod endpoints;
mod faults;
mod get;
mod models;
mod readme;
mod recorded;
mod redirects;
mod requests;
mod upstream;

#[test]
fn the_readme_contains_the_test_of_its_section_on_testing() {
    assert!(include_str!("../../README.md").contains(include_str!("readme.rs")));
}
