//! Whatever a cursor holds: nothing or a place, and that place has this cursor alone.
//!
//! The input is read as what stands behind the checksum of a cursor, and, where it is a text, as a whole one.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tvshows_api::fuzzing::{read_any_cursor, read_place};

fuzz_target!(|input: &[u8]| {
    read_place(input);
    if let Ok(text) = std::str::from_utf8(input) {
        read_any_cursor("id [\"\", \"\", \"\", \"\", \"\", \"\", \"\", \"\", \"\"]", text);
    }
});
