//! The words of texts, as SQLite's tokenizer `unicode61 remove_diacritics 2` splits and folds them.

use std::collections::HashMap;

use rusqlite::Connection;

use crate::error::SqlResult;

/// More characters than all names and summaries use, so that searches for others cannot use up the memory.
const MAX_CACHED_CHARACTERS: usize = 32 * 1024;

/// Splits texts into words.
///
/// SQLite's tables of characters differ from those of any version of Unicode, and its tokenizer can only be called by
/// an index. An index in memory is therefore asked what it does with each character that is not ASCII, once.
pub(crate) struct Tokenizer {
    index: Connection,
    classes: HashMap<char, Class>,
    word: String,
}

/// What a character does in a text. It does not depend on its neighbors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    /// Is part of a word, and is replaced by this character.
    Letter(char),
    /// Is left out within a word, and separates words otherwise.
    Mark,
    Separator,
}

impl Tokenizer {
    pub(crate) fn new() -> SqlResult<Tokenizer> {
        let index = Connection::open_in_memory()?;
        index.execute_batch(
            "CREATE VIRTUAL TABLE Texts USING fts5 (
                 text, content = '', tokenize = 'unicode61 remove_diacritics 2'
             );
             CREATE VIRTUAL TABLE Words USING fts5vocab (Texts, instance);",
        )?;
        Ok(Tokenizer { index, classes: HashMap::new(), word: String::new() })
    }

    /// Calls `add` with each word of the text.
    pub(crate) fn words(&mut self, text: &str, mut add: impl FnMut(&str)) -> SqlResult<()> {
        self.word.clear();
        let mut rest = text;
        loop {
            let letters = rest.bytes().take_while(u8::is_ascii_alphanumeric).count();
            self.word.push_str(&rest[..letters]);
            let mut characters = rest[letters..].chars();
            let next = characters.next();
            match next.map_or(Ok(Class::Separator), |next| self.class(next))? {
                Class::Letter(folded) => self.word.push(folded),
                Class::Mark if !self.word.is_empty() => {}
                Class::Mark | Class::Separator => {
                    if !self.word.is_empty() {
                        self.word.make_ascii_lowercase();
                        add(&self.word);
                        self.word.clear();
                    }
                }
            }
            if next.is_none() {
                return Ok(());
            }
            rest = characters.as_str();
        }
    }

    /// The class of a character that is no ASCII letter or digit.
    fn class(&mut self, character: char) -> SqlResult<Class> {
        if character.is_ascii() {
            return Ok(Class::Separator);
        }
        if let Some(class) = self.classes.get(&character) {
            return Ok(*class);
        }
        let class = self.query_class(character)?;
        if self.classes.len() < MAX_CACHED_CHARACTERS {
            self.classes.insert(character, class);
        }
        Ok(class)
    }

    fn query_class(&self, character: char) -> SqlResult<Class> {
        let mut insert =
            self.index.prepare_cached("INSERT INTO Texts (rowid, text) VALUES (1, ?1)")?;
        insert.execute([format!("a{character}b")])?;
        let mut select = self.index.prepare_cached("SELECT term FROM Words WHERE offset = 0")?;
        let word: String = select.query_row([], |row| row.get(0))?;
        self.index.prepare_cached("INSERT INTO Texts (Texts) VALUES ('delete-all')")?.execute([])?;
        Ok(match word.as_str() {
            "a" => Class::Separator,
            "ab" => Class::Mark,
            word => word.chars().nth(1).map_or(Class::Separator, Class::Letter),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<String> {
        let mut words = Vec::new();
        Tokenizer::new().unwrap().words(text, |word| words.push(word.to_owned())).unwrap();
        words
    }

    #[test]
    fn words_are_folded_and_lose_their_diacritics() {
        assert_eq!(words("Bob's  ÖKONOMIE, 9-1-1"), ["bob", "s", "okonomie", "9", "1", "1"]);
        assert_eq!(words("Pok\u{e9}mon Poke\u{301}mon \u{301}x"), ["pokemon", "pokemon", "x"]);
        assert_eq!(words("北の物語 Straße © ²"), ["北の物語", "straße", "²"]);
        assert!(words(" \0-\u{301}").is_empty());
    }

    /// A part of all characters: asking for each takes a minute.
    #[test]
    fn each_character_does_the_same_in_any_place() {
        let mut tokenizer = Tokenizer::new().unwrap();
        let characters = ('\u{80}'..='\u{600}').chain(('\u{601}'..=char::MAX).step_by(463));
        for block in characters.collect::<Vec<_>>().chunks(4096) {
            let texts = block.iter().map(|c| format!("x{c} {c} {c}y {c}{c}z"));
            let text = texts.collect::<Vec<_>>().join(" ");
            let mut actual = Vec::new();
            tokenizer.words(&text, |word| actual.push(word.to_owned())).unwrap();
            let index = &tokenizer.index;
            index.execute("INSERT INTO Texts (rowid, text) VALUES (2, ?1)", [&text]).unwrap();
            let mut select = index.prepare("SELECT term FROM Words ORDER BY offset").unwrap();
            let expected = select.query_map([], |row| row.get::<_, String>(0)).unwrap();
            let expected: Vec<_> = expected.map(Result::unwrap).collect();
            assert!(actual == expected, "from {:?} to {:?}", block.first(), block.last());
            index.execute("INSERT INTO Texts (Texts) VALUES ('delete-all')", []).unwrap();
        }
    }
}
