//! The full-text index `_Show_Search`.
//!
//! The index does not store the texts, so removing a show requires the texts that it was added with. These are
//! in `All_Shows`, unless another program has changed them; then the index is stale and must be rebuilt.

use rusqlite::Connection;

use crate::error::SqlResult;

/// Updates the index to the next snapshot. Must run before the published tables change.
pub(crate) fn sync_index(connection: &Connection, is_incremental: bool) -> SqlResult<()> {
    let must_rebuild = "SELECT is_stale OR NOT EXISTS (SELECT 1 FROM All_Shows) FROM _Search_State";
    if connection.query_row(must_rebuild, [], |row| row.get(0))? {
        rebuild_index(connection)
    } else {
        update_index(connection, is_incremental)
    }
}

/// Whether another program has changed `All_Shows` since the index was written.
pub(crate) fn is_stale(connection: &Connection) -> SqlResult<bool> {
    connection.query_row("SELECT is_stale FROM _Search_State", [], |row| row.get(0))
}

fn rebuild_index(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch(
        "INSERT INTO _Show_Search (_Show_Search) VALUES ('delete-all');
         INSERT INTO _Show_Search (rowid, name, summary, joined_name)
             SELECT id, name, plain_text(summary), joined_words(name) FROM _Staged_Shows UNION ALL
             SELECT id, name, plain_text(summary), joined_words(name) FROM All_Shows
                 WHERE id IN (SELECT id FROM _Retained_Facets);",
    )
}

/// Updates only the shows that are new or deleted, or whose name or summary has changed.
fn update_index(connection: &Connection, is_incremental: bool) -> SqlResult<()> {
    let deleted = if is_incremental {
        "SELECT id FROM _Staged_Deletions WHERE id NOT IN (SELECT id FROM _Staged_Shows)"
    } else {
        "SELECT id FROM All_Shows WHERE id NOT IN (SELECT id FROM _Staged_Shows)"
    };
    let mut select = connection.prepare(&format!(
        "SELECT id FROM _Staged_Shows s WHERE NOT EXISTS
             (SELECT 1 FROM All_Shows a WHERE a.id = s.id AND a.name = s.name AND a.summary IS s.summary)
         UNION ALL {deleted}"
    ))?;
    let changed = select.query_map([], |row| row.get(0))?.collect::<SqlResult<Vec<u32>>>()?;
    let changed = serde_json::json!(changed).to_string();
    connection.execute(
        "INSERT INTO _Show_Search (_Show_Search, rowid, name, summary, joined_name)
             SELECT 'delete', id, name, plain_text(summary), joined_words(name) FROM All_Shows
             WHERE id IN (SELECT value FROM json_each(?1))",
        [&changed],
    )?;
    connection.execute(
        "INSERT INTO _Show_Search (rowid, name, summary, joined_name)
             SELECT id, name, plain_text(summary), joined_words(name) FROM _Staged_Shows
             WHERE id IN (SELECT value FROM json_each(?1))",
        [&changed],
    )?;
    Ok(())
}

/// Records that the index matches `All_Shows`. The triggers that detect changes by other programs have also
/// detected the publish itself.
pub(crate) fn mark_current(connection: &Connection) -> SqlResult<()> {
    connection.execute_batch("UPDATE _Search_State SET is_stale = 0")
}

/// A search text as queries of the index.
///
/// Each part between spaces is quoted, so that nothing in it is an operator. The index splits it into words
/// in the same way as the indexed texts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct FtsQuery {
    /// Finds shows with all words of the text. The last word may be incomplete.
    pub(crate) any_column: String,
    /// Finds shows with all of these words in the name.
    pub(crate) name_only: String,
}

impl FtsQuery {
    /// Returns `None` for a text without words, which matches no show.
    pub(crate) fn parse(text: &str) -> Option<FtsQuery> {
        let separates = |c: char| c.is_whitespace() || c.is_control();
        // A part without a letter or digit would match nothing.
        let pieces = text.split(separates).filter(|piece| piece.contains(char::is_alphanumeric));
        let quoted: Vec<_> =
            pieces.map(|piece| format!("\"{}\"", piece.replace('"', "\"\""))).collect();
        if quoted.is_empty() {
            return None;
        }
        let prefix = if text.ends_with(char::is_alphanumeric) { "*" } else { "" };
        let any_column = format!("{}{prefix}", quoted.join(" "));
        Some(FtsQuery { name_only: format!("{{name joined_name}} : ({any_column})"), any_column })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tvshows_core::SearchText;

    use super::*;

    #[test]
    fn every_piece_is_quoted_and_the_last_may_be_cut_short() {
        let all = |text| FtsQuery::parse(text).map(|query| query.any_column);
        assert_eq!(all("game of thr"), Some("\"game\" \"of\" \"thr\"*".into()));
        assert_eq!(all(" game "), Some("\"game\"".into()));
        assert_eq!(all("say \"no OR"), Some("\"say\" \"\"\"no\" \"OR\"*".into()));
        assert_eq!(all("a\0b"), Some("\"a\" \"b\"*".into()));
        for nothing in ["", " ", "\"", "*", "-:^()", "\0", "🙂"] {
            assert_eq!(all(nothing), None, "{nothing:?}");
        }
        assert_eq!(FtsQuery::parse("x").unwrap().name_only, "{name joined_name} : (\"x\"*)");
    }

    fn index() -> Connection {
        let connection = Connection::open_in_memory().unwrap();
        let sql = "CREATE VIRTUAL TABLE _Show_Search USING fts5 (name, summary, joined_name, content = '', \
                   tokenize = 'unicode61 remove_diacritics 2');
                   INSERT INTO _Show_Search (rowid, name, summary, joined_name) \
                   VALUES (1, 'Ökonomie & Spider-Man', 'x', 'SpiderMan');";
        connection.execute_batch(sql).unwrap();
        connection
    }

    #[test]
    fn the_longest_text_is_no_faulty_query() {
        let index = index();
        for text in ["a ".repeat(128), "a-".repeat(128), "b".repeat(256), "\"a".repeat(128)] {
            let text: SearchText = text.parse().unwrap();
            let query = FtsQuery::parse(text.as_str()).unwrap();
            let sql = "SELECT count(*) FROM _Show_Search WHERE _Show_Search MATCH ?1";
            let found = index.query_row(sql, [&query.any_column], |row| row.get::<_, u32>(0));
            assert!(found.is_ok(), "{found:?}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_a_faulty_query(text in r#"([\PC\x00"*()^:+\-. ]|AND|OR|NOT|NEAR|name:|é|ß|\PC){0,12}"#) {
            let index = index();
            if let Some(FtsQuery { any_column, name_only }) = FtsQuery::parse(&text) {
                for query in [any_column, name_only] {
                    let sql = "SELECT count(*) FROM _Show_Search WHERE _Show_Search MATCH ?1";
                    let found = index.query_row(sql, [&query], |row| row.get::<_, u32>(0));
                    prop_assert!(found.is_ok(), "{query:?}: {found:?}");
                }
            }
        }

        #[test]
        fn a_name_is_found_by_any_beginning(length in 1_usize..22) {
            let name: String = "Ökonomie & Spider-Man".chars().take(length).collect();
            let query = FtsQuery::parse(&name).unwrap().any_column;
            let sql = "SELECT count(*) FROM _Show_Search WHERE _Show_Search MATCH ?1";
            let found = index().query_row(sql, [&query], |row| row.get::<_, u32>(0)).unwrap();
            prop_assert_eq!(found, 1, "{}", query);
        }
    }
}
