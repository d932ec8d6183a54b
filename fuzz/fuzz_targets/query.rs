//! Whatever a query holds: a problem or something to ask for, never a panic.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| tvshows_api::fuzzing::read_query(text));
