//! SQL functions for migrations. The schema must not use them, because other programs read the file.

use rusqlite::Connection;
use rusqlite::functions::FunctionFlags;
use tvshows_core::joined_words;

use crate::error::SqlResult;

/// Defines `plain_text(html)`: the words of a summary, without its HTML, and `joined_words(name)`: the words of a name
/// that contain punctuation, without it.
pub(crate) fn register(connection: &Connection) -> SqlResult<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC;
    connection.create_scalar_function("plain_text", 1, flags, |context| {
        let html: Option<String> = context.get(0)?;
        Ok(html.map(|html| plain_text(&html)))
    })?;
    connection.create_scalar_function("joined_words", 1, flags, |context| {
        Ok(joined_words(context.get_raw(0).as_str()?))
    })
}

/// Converts HTML for the search index, where only the words matter: a tag separates words.
pub(crate) fn plain_text(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(start) = rest.find('<') {
        let (before, from_tag) = rest.split_at(start);
        text.push_str(before);
        let begins_tag =
            from_tag[1..].starts_with(|next: char| next == '/' || next.is_alphabetic());
        match from_tag.find('>') {
            Some(end) if begins_tag => {
                text.push(' ');
                rest = &from_tag[end + 1..];
            }
            _ => {
                text.push('<');
                rest = &from_tag[1..];
            }
        }
    }
    text.push_str(rest);
    html_escape::decode_html_entities(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_go_and_entities_are_what_they_stand_for() {
        assert_eq!(plain_text("<p>Tom &amp; <b>Jerry</b></p>").trim(), "Tom &  Jerry");
        assert_eq!(plain_text("a<br/>b"), "a b");
        assert_eq!(plain_text("2 < 3 > 1, <3, <"), "2 < 3 > 1, <3, <");
        assert_eq!(plain_text("open <b"), "open <b");
    }
}
