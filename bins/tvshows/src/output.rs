//! Writes to stdout and stderr. `println!` and `eprintln!` would panic on a closed pipe.
//!
//! Text can contain names, summaries, and errors from TVmaze, so lines are escaped where they are written: no control
//! character reaches a terminal.

use std::borrow::Cow;
use std::io::{self, Write};

use comfy_table::presets::NOTHING;
use comfy_table::{ContentArrangement, Table};
use console::Term;
use indicatif::HumanCount;
use serde::Serialize;
use tvshows_core::UnmatchedFilter;

/// Writes a line to stderr, and ignores a closed pipe.
pub(crate) fn eprint_line(line: impl AsRef<str>) {
    let _ = writeln!(io::stderr().lock(), "{}", escape_controls(line.as_ref()));
}

/// Says on stderr which filters exclude every show, and what they may mean.
pub(crate) fn warn_unmatched(unmatched: &[UnmatchedFilter]) {
    for filter in unmatched {
        eprint_line(format!("warning: {filter}"));
    }
}

/// Writes lines to stdout. Fails on a closed pipe.
pub(crate) fn print_lines(lines: impl IntoIterator<Item = impl AsRef<str>>) -> anyhow::Result<()> {
    let lines = lines.into_iter().map(|line| escape_controls(line.as_ref()).into_owned() + "\n");
    print_exact(&lines.collect::<String>())
}

/// Writes a line to stdout. Fails on a closed pipe.
pub(crate) fn print_line(line: impl AsRef<str>) -> anyhow::Result<()> {
    print_lines([line])
}

/// Writes a text for other programs to stdout, unescaped. Fails on a closed pipe.
pub(crate) fn print_exact(text: &str) -> anyhow::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_bytes())?;
    Ok(stdout.flush()?)
}

pub(crate) fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    print_exact(&(serde_json::to_string(value)? + "\n"))
}

/// Shows control characters and invisible format characters as escapes, such as `\u{1b}` and `\n`: a terminal would
/// execute them, break the line, or reorder the text.
pub(crate) fn escape_controls(text: &str) -> Cow<'_, str> {
    if !text.contains(is_invisible) {
        return text.into();
    }
    let mut escaped = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_invisible(character) {
            escaped.extend(character.escape_default());
        } else {
            escaped.push(character);
        }
    }
    escaped.into()
}

/// Whether a character is a control character, or is drawn as nothing but affects what surrounds it. The joiners
/// U+200C and U+200D are not included because Indic scripts, Persian, and emoji need them.
fn is_invisible(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{180e}'
                | '\u{200b}'
                | '\u{200e}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

/// Prints columns that fit the terminal, or of their natural width if stdout is not a terminal.
pub(crate) fn print_table(
    header: &[&str],
    rows: impl IntoIterator<Item = Vec<String>>,
) -> anyhow::Result<()> {
    let mut table = Table::new();
    table.load_style(NOTHING).set_header(header.iter().copied());
    // Before the layout, which depends on the width of the text.
    table.add_rows(rows.into_iter().map(|row| {
        row.into_iter().map(|cell| escape_controls(&cell).into_owned()).collect::<Vec<_>>()
    }));
    let terminal = Term::stdout();
    if terminal.is_term() {
        let (_, width) = terminal.size();
        table.set_content_arrangement(ContentArrangement::Dynamic).set_width(width);
    }
    print_lines(table.trim_fmt().lines())
}

/// `1 retry`, `2,300 retries`.
pub(crate) fn count(number: impl Into<u64>, singular: &str, plural: &str) -> String {
    let number = number.into();
    format!("{} {}", HumanCount(number), if number == 1 { singular } else { plural })
}

/// Whether a command failed only because its reader closed the pipe, as in `tvshows runs | head -1`.
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        let io = cause.downcast_ref::<io::Error>();
        io.is_some_and(|error| error.kind() == io::ErrorKind::BrokenPipe)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn control_and_invisible_characters_are_shown_as_escapes() {
        for (text, escaped) in [
            ("evil \u{1b}[31m \u{1b}]0;t\u{7}", r"evil \u{1b}[31m \u{1b}]0;t\u{7}"),
            ("a\r\nb\tc\0", r"a\r\nb\tc\u{0}"),
            ("\u{7f}\u{9b}2J", r"\u{7f}\u{9b}2J"),
            ("\u{202e}gpj.exe\u{2066}\u{2069}", r"\u{202e}gpj.exe\u{2066}\u{2069}"),
            ("a\u{200b}b\u{2028}c\u{feff}", r"a\u{200b}b\u{2028}c\u{feff}"),
        ] {
            assert_eq!(escape_controls(text), escaped);
        }
    }

    #[test]
    fn visible_text_is_unchanged() {
        let joined = "\u{645}\u{6cc}\u{200c}\u{62e}\u{648}\u{627}\u{647}\u{645}, \u{1f469}\u{200d}\u{1f680}, \u{2764}\u{fe0f}";
        for text in ["Café \\ \"x\" 'y' – 日本語", "e\u{301}", joined] {
            assert!(matches!(escape_controls(text), Cow::Borrowed(same) if same == text), "{text}");
        }
    }

    #[test]
    fn only_one_is_singular() {
        assert_eq!(count(0_u32, "retry", "retries"), "0 retries");
        assert_eq!(count(1_u32, "retry", "retries"), "1 retry");
        assert_eq!(count(84_670_u64, "show", "shows"), "84,670 shows");
    }
}
