use html_escape::decode_html_entities;

/// Converts a summary, which TVmaze sends as HTML, to plain text.
///
/// Paragraphs, line breaks and list items become lines. Entities are decoded. Other tags are removed,
/// scripts and styles with their content. Whitespace, including non-breaking spaces, is collapsed to
/// one space. A `<` that does not start a tag is text.
#[must_use]
pub fn plain_text(html: &str) -> String {
    let mut text = TextBuilder { out: String::with_capacity(html.len()), pending_separator: None };
    // The script or style element that contains the current token.
    let mut inside = None;
    let mut rest = html;
    while !rest.is_empty() {
        let (token, next) = next_token(rest);
        rest = next;
        match (Tag::parse(token), inside) {
            (Some(tag), Some(name)) if tag.is_end && tag.is(name) => inside = None,
            (_, Some(_)) => {}
            (Some(tag), None) if tag.breaks_line() => text.break_line(),
            (Some(tag), None) => inside = tag.raw_text_element(),
            (None, None) => text.push(&decode_html_entities(token)),
        }
    }
    text.out
}

/// The plain text of a summary; `None` if it is empty.
pub(super) fn to_plain_text(html: Option<&str>) -> Option<String> {
    html.map(plain_text).filter(|text| !text.is_empty())
}

/// Splits off the first token: the text before the next `<`, a whole tag, or a `<` that does not start
/// a tag with the text after it.
fn next_token(html: &str) -> (&str, &str) {
    let Some(after) = html.strip_prefix('<') else {
        return html.split_at(html.find('<').unwrap_or(html.len()));
    };
    // A tag ends before the next one starts. So a stray `<` does not swallow the rest of the text, and
    // each character is visited at most twice.
    match after.find(['<', '>']) {
        Some(end) if after[end..].starts_with('>') => html.split_at(end + 2),
        Some(end) => html.split_at(end + 1),
        None => (html, ""),
    }
}

/// A tag, `<p>` or `</p>`.
#[derive(Clone, Copy)]
struct Tag<'a> {
    name: &'a str,
    is_end: bool,
}

impl<'a> Tag<'a> {
    /// Parses a token; `None` if it is text. A comment is a tag without a name.
    fn parse(token: &'a str) -> Option<Tag<'a>> {
        let inner = token.strip_prefix('<')?.strip_suffix('>')?;
        let (is_end, inner) = match inner.strip_prefix('/') {
            Some(inner) => (true, inner),
            None => (false, inner),
        };
        let end = inner.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inner.len());
        let name = &inner[..end];
        let is_start = |first: char| first.is_ascii_alphabetic() || first == '!';
        inner.starts_with(is_start).then_some(Tag { name, is_end })
    }

    fn is(self, name: &str) -> bool {
        self.name.eq_ignore_ascii_case(name)
    }

    fn breaks_line(self) -> bool {
        ["p", "br", "li", "ul", "ol", "div"].iter().any(|name| self.is(name))
    }

    /// The name of a start tag whose element contains no text.
    fn raw_text_element(self) -> Option<&'static str> {
        ["script", "style"].into_iter().find(|name| self.is(name) && !self.is_end)
    }
}

/// Builds text. A separator is written only between two words.
struct TextBuilder {
    out: String,
    pending_separator: Option<char>,
}

impl TextBuilder {
    fn push(&mut self, text: &str) {
        for character in text.chars() {
            if character.is_whitespace() {
                self.pending_separator.get_or_insert(' ');
                continue;
            }
            if let Some(separator) = self.pending_separator.take()
                && !self.out.is_empty()
            {
                self.out.push(separator);
            }
            self.out.push(character);
        }
    }

    fn break_line(&mut self) {
        self.pending_separator = Some('\n');
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paragraphs_breaks_and_items_are_lines() {
        let cases = [
            ("<p><b>Under</b> the <i>Dome</i>.</p>\n<p>Two</p>", "Under the Dome.\nTwo"),
            ("One<br>Two<BR />Three<br/><br/>Four", "One\nTwo\nThree\nFour"),
            ("<ul><li>One</li><li>Two</li></ul>End", "One\nTwo\nEnd"),
            ("<p>  a \n\t b\u{a0}&nbsp;c </p>", "a b c"),
            ("<span class=\"x\">S</span>ale<em>m</em><strong>!</strong>", "Salem!"),
            ("<p></p>", ""),
        ];
        for (html, text) in cases {
            assert_eq!(plain_text(html), text, "{html}");
        }
    }

    #[test]
    fn entities_are_decoded_once() {
        assert_eq!(
            plain_text("Law &amp; Order &#39;90 &#x2014; &lt;b&gt;"),
            "Law & Order '90 — <b>"
        );
        assert_eq!(
            plain_text("&amp;lt; AT&T &bogus; &#x110000; &"),
            "&lt; AT&T &bogus; &#x110000; &"
        );
    }

    #[test]
    fn what_is_no_tag_is_text() {
        let texts =
            ["a < b", "a < b > c", "1<2>0", "I <3 you", "a <b", "<", "a <b and the rest", ">"];
        for text in texts {
            assert_eq!(plain_text(text), text);
        }
        assert_eq!(plain_text("a <b c <i>d</i> e"), "a <b c d e");
    }

    #[test]
    fn scripts_and_styles_are_dropped() {
        assert_eq!(plain_text("a<script>if (b<c) {}</SCRIPT >d<style>p{}</style>e"), "ade");
        assert_eq!(plain_text("a<!-- note -->b<script>c"), "ab");
        assert_eq!(plain_text("a</script>b"), "ab");
    }

    /// A quadratic algorithm would take hours.
    #[test]
    fn a_long_text_comes_to_its_end() {
        for part in ["<", "<a ", "&", "&amp", "<script>", "<p>", "</", "a<!"] {
            let _ = plain_text(&part.repeat(500_000));
        }
    }

    proptest! {
        #[test]
        fn no_html_makes_it_panic(html in any::<String>(), tags in "[<>/&;#!a-p \u{a0}]{0,60}") {
            let _ = plain_text(&html);
            let text = plain_text(&tags);
            prop_assert_eq!(text.trim(), &text);
            let wide = ["\u{a0}", "  "].iter().any(|space| text.contains(space));
            prop_assert!(!wide);
        }

        #[test]
        fn plain_text_stays_as_it_is(words in proptest::collection::vec("[^<&\\s\u{85}]{1,8}", 0..9)) {
            let text = words.join(" ");
            prop_assert_eq!(plain_text(&text), text);
        }
    }
}
