//! The full-text index `Show_Search`.

use rusqlite::Connection;

use crate::error::SqlResult;

/// Brings the index to what is about to be published. While the tables are still the old ones: only
/// what is new, gone, or has another name or summary is touched.
pub(crate) fn publish(connection: &Connection, keeps_published: bool) -> SqlResult<()> {
    let is_first =
        connection
            .query_row("SELECT NOT EXISTS (SELECT 1 FROM All_Shows)", [], |row| row.get(0))?;
    if is_first {
        // Words of shows that somebody has deleted may be left.
        return connection.execute_batch(
            "INSERT INTO Show_Search (Show_Search) VALUES ('delete-all');
             INSERT INTO Show_Search (rowid, name, summary)
                 SELECT id, name, plain_text(summary) FROM Staged_Shows;",
        );
    }
    connection.execute_batch(if keeps_published {
        "DELETE FROM Show_Search WHERE rowid IN
             (SELECT id FROM Staged_Drops WHERE id NOT IN (SELECT id FROM Staged_Shows))"
    } else {
        "DELETE FROM Show_Search WHERE rowid IN
             (SELECT id FROM All_Shows WHERE id NOT IN (SELECT id FROM Staged_Shows))"
    })?;
    connection.execute_batch(
        "REPLACE INTO Show_Search (rowid, name, summary)
             SELECT s.id, s.name, plain_text(s.summary) FROM Staged_Shows s WHERE NOT EXISTS
                 (SELECT 1 FROM All_Shows a WHERE a.id = s.id AND a.name = s.name AND a.summary IS s.summary)",
    )
}

/// A text as queries of the index: for shows that have all of its words, and for those that have them in
/// the name. `None` for a text without any word, which no show has.
///
/// Each piece between spaces is quoted, so that nothing in it is an operator; the index takes it apart as
/// it took the texts. Pieces without a letter or digit would find nothing, so they are left out.
pub(crate) fn queries(text: &str) -> Option<(String, String)> {
    let separates = |c: char| c.is_whitespace() || c.is_control();
    let pieces = text.split(separates).filter(|piece| piece.contains(char::is_alphanumeric));
    let quoted: Vec<_> =
        pieces.map(|piece| format!("\"{}\"", piece.replace('"', "\"\""))).collect();
    let words = quoted.join(" ");
    let is_open = text.ends_with(|c: char| c.is_alphanumeric());
    let all = format!("{words}{}", if is_open { "*" } else { "" });
    (!quoted.is_empty()).then(|| (all.clone(), format!("name : ({all})")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tvshows_core::SearchText;

    use super::*;

    #[test]
    fn every_piece_is_quoted_and_the_last_may_be_cut_short() {
        let all = |text| queries(text).map(|(all, _)| all);
        assert_eq!(all("game of thr"), Some("\"game\" \"of\" \"thr\"*".into()));
        assert_eq!(all(" game "), Some("\"game\"".into()));
        assert_eq!(all("say \"no OR"), Some("\"say\" \"\"\"no\" \"OR\"*".into()));
        assert_eq!(all("a\0b"), Some("\"a\" \"b\"*".into()));
        for nothing in ["", " ", "\"", "*", "-:^()", "\0", "🙂"] {
            assert_eq!(all(nothing), None, "{nothing:?}");
        }
        assert_eq!(queries("x").unwrap().1, "name : (\"x\"*)");
    }

    fn index() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "CREATE VIRTUAL TABLE Show_Search USING fts5 (name, summary, content = '', \
                   contentless_delete = 1, tokenize = 'unicode61 remove_diacritics 2');
                   INSERT INTO Show_Search (rowid, name, summary) VALUES (1, 'Ökonomie & Spider-Man', 'x');";
        connection.execute_batch(sql).unwrap();
        connection
    }

    #[test]
    fn the_longest_text_is_no_faulty_query() {
        let index = index();
        for text in ["a ".repeat(128), "a-".repeat(128), "b".repeat(256), "\"a".repeat(128)] {
            let text: SearchText = text.parse().unwrap();
            let (all, _) = queries(text.as_str()).unwrap();
            let sql = "SELECT count(*) FROM Show_Search WHERE Show_Search MATCH ?1";
            let found = index.query_row(sql, [&all], |row| row.get::<_, u32>(0));
            assert!(found.is_ok(), "{found:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_faulty_query(text in r#"([\PC\x00"*()^:+\-. ]|AND|OR|NOT|NEAR|name:|é|ß|\PC){0,12}"#) {
            let index = index();
            if let Some((all, named)) = queries(&text) {
                for query in [all, named] {
                    let sql = "SELECT count(*) FROM Show_Search WHERE Show_Search MATCH ?1";
                    let found = index.query_row(sql, [&query], |row| row.get::<_, u32>(0));
                    prop_assert!(found.is_ok(), "{query:?}: {found:?}");
                }
            }
        }

        #[test]
        fn a_name_is_found_by_any_beginning(length in 1_usize..22) {
            let name: String = "Ökonomie & Spider-Man".chars().take(length).collect();
            let (all, _) = queries(&name).unwrap();
            let sql = "SELECT count(*) FROM Show_Search WHERE Show_Search MATCH ?1";
            let found = index().query_row(sql, [&all], |row| row.get::<_, u32>(0)).unwrap();
            prop_assert_eq!(found, 1, "{}", all);
        }
    }
}
