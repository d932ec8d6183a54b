//! Decoding a cursor never panics, and a position has exactly one valid encoding.
//!
//! The input is decoded as what follows a cursor's checksum and, if it is text, as a whole cursor.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tvshows_api::fuzzing::{decode_cursor, decode_position};

fuzz_target!(|input: &[u8]| {
    decode_position(input);
    if let Ok(text) = std::str::from_utf8(input) {
        decode_cursor("id [\"\", \"\", \"\", \"\", \"\", \"\", \"\", \"\", \"\"]", text);
    }
});
