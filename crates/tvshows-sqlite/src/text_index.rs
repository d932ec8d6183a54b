//! The words of names and summaries, in memory.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use rusqlite::Connection;
use rusqlite::types::ValueRef;
use tvshows_core::joined_words;

use crate::error::SqlResult;
use crate::sql_functions::plain_text;
use crate::tokenizer::Tokenizer;
use crate::word_index::{Phrase, WordIndex, WordIndexBuilder};

/// Finds the shows that match a text.
pub(crate) struct TextIndex {
    /// Includes the joined words of names.
    names: WordIndex,
    summaries: WordIndex,
    tokenizer: Mutex<Tokenizer>,
    shows: usize,
}

/// For each show, whether it matches a text.
pub(crate) struct TextMatches {
    /// Its name or summary has each part of the text. The last word may be incomplete.
    pub(crate) any_column: Vec<bool>,
    /// Its name has each part of the text.
    pub(crate) name: Vec<bool>,
}

impl TextIndex {
    /// Reads the texts of the shows with these ids, which are in ascending order.
    pub(crate) fn read(connection: &Connection, ids: &[i64]) -> SqlResult<TextIndex> {
        let mut tokenizer = Tokenizer::new()?;
        let (mut names, mut summaries) = (WordIndexBuilder::default(), WordIndexBuilder::default());
        let mut select =
            connection.prepare("SELECT id, name, summary FROM All_Shows ORDER BY id")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let Ok(show) = ids.binary_search(&row.get(0)?) else { continue };
            let show = u32::try_from(show).unwrap_or(u32::MAX);
            let name = text(row.get_ref(1)?);
            tokenizer.words(&name, |word| names.add(word))?;
            names.end_text();
            tokenizer.words(&joined_words(&name), |word| names.add(word))?;
            names.end_show(show);
            tokenizer.words(&plain_text(&text(row.get_ref(2)?)), |word| summaries.add(word))?;
            summaries.end_show(show);
        }
        let (names, summaries) = (names.finish(ids.len()), summaries.finish(ids.len()));
        Ok(TextIndex { names, summaries, tokenizer: Mutex::new(tokenizer), shows: ids.len() })
    }

    /// Each part of the text between spaces is a phrase: `spider-man` is two words that follow each other. The last
    /// word of the text may be incomplete. A text without words matches no show.
    pub(crate) fn find(&self, text: &str) -> SqlResult<TextMatches> {
        let phrases = self.phrases(text)?;
        let mut any_column = vec![!phrases.is_empty(); self.shows];
        let mut name = any_column.clone();
        for phrase in phrases {
            let mut found = vec![false; self.shows];
            self.names.find(&phrase, &mut found);
            and(&mut name, &found);
            self.summaries.find(&phrase, &mut found);
            and(&mut any_column, &found);
        }
        Ok(TextMatches { any_column, name })
    }

    fn phrases(&self, text: &str) -> SqlResult<BTreeSet<Phrase>> {
        let mut tokenizer = self.tokenizer.lock().unwrap_or_else(PoisonError::into_inner);
        let separates = |c: char| c.is_whitespace() || c.is_control();
        // A part without a letter or digit would match nothing.
        let mut parts =
            text.split(separates).filter(|part| part.contains(char::is_alphanumeric)).peekable();
        let mut phrases = BTreeSet::new();
        while let Some(part) = parts.next() {
            let mut words = Vec::new();
            tokenizer.words(part, |word| words.push(word.to_owned()))?;
            let is_prefix = parts.peek().is_none() && text.ends_with(char::is_alphanumeric);
            if !words.is_empty() {
                phrases.insert(Phrase { words, is_prefix });
            }
        }
        Ok(phrases)
    }
}

fn text(value: ValueRef<'_>) -> Cow<'_, str> {
    match value {
        ValueRef::Text(text) => String::from_utf8_lossy(text),
        _ => "".into(),
    }
}

pub(crate) fn and(matches: &mut [bool], found: &[bool]) {
    for (is_match, is_found) in matches.iter_mut().zip(found) {
        *is_match &= is_found;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;
    use tvshows_core::SearchText;

    use super::*;
    use crate::sql_functions;

    /// The texts in the table `All_Shows`, and in an index of SQLite.
    fn database(shows: &[(String, Option<String>)]) -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        sql_functions::register(&connection).unwrap();
        connection
            .execute_batch(
                "CREATE TABLE All_Shows (id INTEGER PRIMARY KEY, name, summary);
                 CREATE VIRTUAL TABLE Search USING fts5 (
                     name, summary, joined_name, content = '', tokenize = 'unicode61 remove_diacritics 2'
                 );",
            )
            .unwrap();
        let mut insert =
            connection.prepare("INSERT INTO All_Shows (name, summary) VALUES (?1, ?2)").unwrap();
        for show in shows {
            insert.execute((&show.0, &show.1)).unwrap();
        }
        drop(insert);
        connection
            .execute_batch(
                "INSERT INTO Search (rowid, name, summary, joined_name)
                     SELECT id, name, plain_text(summary), joined_words(name) FROM All_Shows",
            )
            .unwrap();
        connection
    }

    /// The text as queries of SQLite's index: for any column, and for names.
    fn fts_queries(text: &str) -> Option<[String; 2]> {
        let separates = |c: char| c.is_whitespace() || c.is_control();
        let parts = text.split(separates).filter(|part| part.contains(char::is_alphanumeric));
        let quoted: Vec<_> =
            parts.map(|part| format!("\"{}\"", part.replace('"', "\"\""))).collect();
        let prefix = if text.ends_with(char::is_alphanumeric) { "*" } else { "" };
        let any_column = format!("{}{prefix}", quoted.join(" "));
        let name = format!("{{name joined_name}} : ({any_column})");
        (!quoted.is_empty()).then_some([any_column, name])
    }

    fn expected(connection: &Connection, text: &str) -> [Vec<i64>; 2] {
        let Some(queries) = fts_queries(text) else { return [vec![], vec![]] };
        queries.map(|query| {
            let sql = "SELECT rowid FROM Search WHERE Search MATCH ?1 ORDER BY rowid";
            let mut select = connection.prepare(sql).unwrap();
            select.query_map([query], |row| row.get(0)).unwrap().map(Result::unwrap).collect()
        })
    }

    fn found(index: &TextIndex, text: &str) -> [Vec<i64>; 2] {
        let TextMatches { any_column, name } = index.find(text).unwrap();
        [any_column, name].map(|matches| {
            (1..).zip(matches).filter(|(_, is_match)| *is_match).map(|(id, _)| id).collect()
        })
    }

    fn index(connection: &Connection, shows: usize) -> TextIndex {
        let ids: Vec<_> = (1..).take(shows).collect();
        TextIndex::read(connection, &ids).unwrap()
    }

    /// Few words, so that many shows have them, and characters that are folded, removed, or unknown.
    fn text() -> impl Strategy<Value = String> {
        let word = prop_oneof![
            4 => select(vec![
                "a", "ab", "abc", "s", "Bob's", "bobs", "spider-man", "S.W.A.T.", "9-1-1", "911", "don't",
                "Ökonomie", "o\u{308}konomie", "ÖK", "Straße", "北の物語", "北", "ΣΊΣΥΦΟΣ", "σίσυφος", "й", "и",
                "Ⓐ", "🙂", "\u{301}", "\u{345}", "क्षत्रिय", "²", "Ⅷ", "ǅ", "İ", "ı", "ﬁ", "\u{fffe}", "\u{378}",
                "AND", "OR", "NEAR(a b)", "name:", "\"", "*", "^a", "a*", "-", "<b>", "&amp;", "a\u{0}b",
            ]).prop_map(str::to_owned),
            1 => "\\PC{1,3}",
            1 => any::<char>().prop_map(String::from),
        ];
        let separator = select(vec![" ", " ", " ", "-", "'", ".", "", "\u{301}", "\u{a0}", "\n"]);
        let pieces = prop::collection::vec((word, separator), 0..6);
        pieces.prop_map(|pieces| pieces.into_iter().map(|(word, end)| word + end).collect())
    }

    proptest! {
        #[test]
        fn a_search_finds_what_an_index_of_sqlite_finds(
            shows in prop::collection::vec((text(), prop::option::of(text())), 0..12),
            queries in prop::collection::vec(text(), 12),
            length in 0_usize..8,
        ) {
            let connection = database(&shows);
            let index = index(&connection, shows.len());
            let beginnings = shows.iter().map(|(name, _)| name.chars().take(length).collect());
            for query in queries.into_iter().chain(beginnings) {
                prop_assert_eq!(found(&index, &query), expected(&connection, &query), "{:?}", query);
            }
        }
    }

    #[test]
    fn the_longest_texts_are_found() {
        let texts = ["a ".repeat(128), "a-".repeat(128), "b".repeat(256), "\"a".repeat(128)];
        let shows: Vec<_> = texts.iter().map(|text| (text.clone(), None)).collect();
        let connection = database(&shows);
        let index = index(&connection, shows.len());
        for text in texts {
            let text: SearchText = text.parse().unwrap();
            assert_eq!(found(&index, text.as_str()), expected(&connection, text.as_str()));
        }
    }

    #[test]
    fn a_text_without_words_matches_nothing() {
        let connection = database(&[("a".into(), Some("a".into()))]);
        let index = index(&connection, 1);
        for nothing in ["", " ", "\"", "*", "-:^()", "\0", "🙂", "Ⓐ"] {
            assert!(found(&index, nothing).iter().all(Vec::is_empty), "{nothing:?}");
        }
    }

    /// Other programs can store such values.
    #[test]
    fn texts_of_other_types_have_no_words() {
        let connection = database(&[]);
        connection
            .execute_batch(
                "INSERT INTO All_Shows VALUES (1, NULL, x'61'), (2, 7, 'a'), (3, CAST(x'61ff62' AS TEXT), 1.5)",
            )
            .unwrap();
        let index = index(&connection, 2);
        assert_eq!(found(&index, "a"), [vec![2], vec![]]);
    }
}
