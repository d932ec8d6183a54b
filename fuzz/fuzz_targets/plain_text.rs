//! Whatever a summary holds: text, never a panic, and no longer than the HTML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tvmaze_client::plain_text;

fuzz_target!(|html: &str| {
    let text = plain_text(html);
    // An entity of some bytes stands for a character of at most as many.
    assert!(text.len() <= 2 * html.len(), "{html:?} became {text:?}");
});
