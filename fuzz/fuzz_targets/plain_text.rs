//! Converting a summary to plain text never panics, and the text is not much longer than the HTML.
#![no_main]

use libfuzzer_sys::fuzz_target;
use tvmaze_client::plain_text;

fuzz_target!(|html: &str| {
    let text = plain_text(html);
    // A decoded entity has at most twice as many bytes as its source.
    assert!(text.len() <= 2 * html.len(), "{html:?} became {text:?}");
});
