//! Parsing a query returns a problem or a value, and never panics.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| tvshows_api::fuzzing::parse_query(text));
