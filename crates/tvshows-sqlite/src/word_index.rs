//! An inverted index in memory: where each word occurs.

use std::collections::HashMap;
use std::ops::Range;

/// Words that follow each other.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Phrase {
    pub(crate) words: Vec<String>,
    /// Whether the last word may be the beginning of another one.
    pub(crate) is_prefix: bool,
}

/// The occurrences of all words of a column, about 2 bytes per occurrence.
///
/// An occurrence is a show and positions in its text. For each word, its shows are in ascending order: twice the
/// difference to the previous show, plus 1 if the word occurs more than once; in that case, how often it does; and then
/// the differences of the positions. Numbers have a variable length.
pub(crate) struct WordIndex {
    /// All words in alphabetical order.
    words: String,
    occurrences: Vec<u8>,
    /// Where each word and its occurrences start, and the ends of the last ones.
    starts: Vec<(u32, u32)>,
    shows: usize,
}

impl WordIndex {
    fn len(&self) -> usize {
        self.starts.len().saturating_sub(1)
    }

    fn word(&self, index: usize) -> &str {
        &self.words[self.starts[index].0 as usize..self.starts[index + 1].0 as usize]
    }

    /// Returns the number of words at the start of `range` that `is_before` is true for.
    fn partition_point(&self, range: Range<usize>, is_before: impl Fn(&str) -> bool) -> usize {
        let Range { mut start, mut end } = range;
        while start < end {
            let middle = usize::midpoint(start, end);
            if is_before(self.word(middle)) {
                start = middle + 1;
            } else {
                end = middle;
            }
        }
        start
    }

    /// Calls `visit` with each show that a word of the text occurs in, and with the encoded positions.
    fn visit(&self, text: &str, is_prefix: bool, mut visit: impl FnMut(usize, Positions<'_>)) {
        let start = self.partition_point(0..self.len(), |word| word < text);
        let end = self.partition_point(start..self.len(), |word| {
            if is_prefix { word.starts_with(text) } else { word == text }
        });
        for index in start..end {
            let range = self.starts[index].1 as usize..self.starts[index + 1].1 as usize;
            let (mut reader, mut show) = (Reader(&self.occurrences[range]), 0);
            while let Some(head) = reader.number() {
                show += head / 2;
                let count = if head % 2 == 0 { 1 } else { reader.number().unwrap_or_default() };
                let differences = Reader(reader.skip(count));
                visit(show, Positions { differences, last: 0 });
            }
        }
    }

    /// Sets the element of each show that has the phrase.
    pub(crate) fn find(&self, phrase: &Phrase, found: &mut [bool]) {
        let Some((last, before)) = phrase.words.split_last() else { return };
        let Some((first, between)) = before.split_first() else {
            return self.visit(last, phrase.is_prefix, |show, _| found[show] = true);
        };
        // For each show, the positions where the phrase may go on.
        let mut next = vec![Vec::new(); self.shows];
        self.visit(first, false, |show, positions| next[show].extend(positions.map(|at| at + 1)));
        for word in between {
            let mut after = vec![Vec::new(); self.shows];
            self.visit(word, false, |show, positions| {
                if !next[show].is_empty() {
                    let continued = positions.filter(|at| next[show].contains(at));
                    after[show].extend(continued.map(|at| at + 1));
                }
            });
            next = after;
            if next.iter().all(Vec::is_empty) {
                return;
            }
        }
        self.visit(last, phrase.is_prefix, |show, mut positions| {
            if !next[show].is_empty() {
                found[show] |= positions.any(|at| next[show].contains(&at));
            }
        });
    }
}

/// Reads numbers of 7 bits per byte, least significant first. The highest bit marks all bytes but the last one.
struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn number(&mut self) -> Option<usize> {
        let (mut number, mut shift) = (0, 0);
        loop {
            let (byte, rest) = self.0.split_first()?;
            self.0 = rest;
            number |= usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    /// Skips numbers, and returns them.
    fn skip(&mut self, count: usize) -> &'a [u8] {
        let mut end = 0;
        for _ in 0..count {
            while self.0[end] & 0x80 != 0 {
                end += 1;
            }
            end += 1;
        }
        let (skipped, rest) = self.0.split_at(end);
        self.0 = rest;
        skipped
    }
}

fn write_number(bytes: &mut Vec<u8>, mut number: u32) {
    while number >= 0x80 {
        bytes.push(number.to_le_bytes()[0] | 0x80);
        number >>= 7;
    }
    bytes.push(number.to_le_bytes()[0]);
}

/// Decodes the positions of a word in a text.
struct Positions<'a> {
    differences: Reader<'a>,
    last: usize,
}

impl Iterator for Positions<'_> {
    type Item = usize;

    fn next(&mut self) -> Option<usize> {
        self.last += self.differences.number()?;
        Some(self.last)
    }
}

/// Collects the words of one show after the other, in the order of the index.
#[derive(Default)]
pub(crate) struct WordIndexBuilder {
    numbers: HashMap<Box<str>, u32>,
    lists: Vec<List>,
    /// The words of the current show, with their positions.
    current: Vec<(u32, u32)>,
    position: u32,
}

/// The encoded occurrences of a word so far.
#[derive(Default)]
struct List {
    bytes: Vec<u8>,
    last_show: u32,
}

impl WordIndexBuilder {
    /// Adds the next word of the current show.
    pub(crate) fn add(&mut self, word: &str) {
        let number = self.numbers.get(word).copied().unwrap_or_else(|| {
            let number = u32::try_from(self.lists.len()).unwrap_or(u32::MAX);
            self.lists.push(List::default());
            self.numbers.insert(word.into(), number);
            number
        });
        self.current.push((number, self.position));
        self.position += 1;
    }

    /// Ends a text of the current show: no phrase continues in the next one.
    pub(crate) fn end_text(&mut self) {
        self.position += 1;
    }

    /// Ends the current show.
    pub(crate) fn end_show(&mut self, show: u32) {
        self.current.sort_unstable();
        for word in self.current.chunk_by(|(a, _), (b, _)| a == b) {
            let list = &mut self.lists[word[0].0 as usize];
            let is_repeated = word.len() > 1;
            write_number(&mut list.bytes, (show - list.last_show) * 2 + u32::from(is_repeated));
            list.last_show = show;
            if is_repeated {
                write_number(&mut list.bytes, u32::try_from(word.len()).unwrap_or(u32::MAX));
            }
            let mut previous = 0;
            for (_, position) in word {
                write_number(&mut list.bytes, position - previous);
                previous = *position;
            }
        }
        self.current.clear();
        self.position = 0;
    }

    /// Returns the index of this many shows.
    pub(crate) fn finish(mut self, shows: usize) -> WordIndex {
        let mut numbers: Vec<_> = std::mem::take(&mut self.numbers).into_iter().collect();
        numbers.sort_unstable();
        let mut words = String::with_capacity(numbers.iter().map(|(word, _)| word.len()).sum());
        let bytes = self.lists.iter().map(|list| list.bytes.len()).sum();
        let mut occurrences = Vec::with_capacity(bytes);
        let mut starts = Vec::with_capacity(numbers.len() + 1);
        let end = |words: &str, occurrences: &[u8]| {
            let offset = |length| u32::try_from(length).unwrap_or(u32::MAX);
            (offset(words.len()), offset(occurrences.len()))
        };
        for (word, number) in numbers {
            starts.push(end(&words, &occurrences));
            words.push_str(&word);
            // Drops the list, so that the occurrences are not in memory twice.
            occurrences.append(&mut std::mem::take(&mut self.lists[number as usize].bytes));
        }
        starts.push(end(&words, &occurrences));
        WordIndex { words, occurrences, starts, shows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn index(shows: &[&[&str]]) -> WordIndex {
        let mut builder = WordIndexBuilder::default();
        for (show, texts) in (0..).zip(shows) {
            for text in *texts {
                text.split(' ').for_each(|word| builder.add(word));
                builder.end_text();
            }
            builder.end_show(show);
        }
        builder.finish(shows.len())
    }

    fn find(index: &WordIndex, words: &str, is_prefix: bool) -> Vec<usize> {
        let mut found = vec![false; index.shows];
        let words = words.split(' ').map(str::to_owned).collect();
        index.find(&Phrase { words, is_prefix }, &mut found);
        found.iter().enumerate().filter(|(_, found)| **found).map(|(show, _)| show).collect()
    }

    #[test]
    fn words_phrases_and_prefixes_are_found() {
        let long = "w ".repeat(300) + "a b";
        let index = index(&[&["a b c"], &["a c b"], &["b a", "b c"], &["ab abc"], &[&long]]);
        assert_eq!(find(&index, "a", false), [0, 1, 2, 4]);
        assert_eq!(find(&index, "a", true), [0, 1, 2, 3, 4]);
        assert_eq!(find(&index, "ab", true), [3]);
        assert!(find(&index, "d", true).is_empty());
        assert_eq!(find(&index, "a b", false), [0, 4], "not across texts");
        assert_eq!(find(&index, "a b c", false), [0]);
        assert_eq!(find(&index, "ab a", true), [3]);
        assert_eq!(find(&index, "w w w a", true), [4]);
        assert!(find(&super::tests::index(&[]), "a", true).is_empty());
    }

    #[test]
    fn numbers_of_any_size_are_read_as_written() {
        let numbers = [0, 1, 127, 128, 16_383, 16_384, u32::MAX];
        let mut bytes = Vec::new();
        for number in numbers {
            write_number(&mut bytes, number);
        }
        let mut reader = Reader(&bytes);
        for number in numbers {
            assert_eq!(reader.number(), Some(number as usize));
        }
        assert_eq!(reader.number(), None);
    }
}
