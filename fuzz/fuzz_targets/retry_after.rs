//! Parsing a `Retry-After` header never panics.
#![no_main]

use std::time::{Duration, SystemTime};

use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u32, &str)| {
    let (seconds, text) = input;
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
    let _ = tvmaze_client::parse_retry_after(text, now);
});
