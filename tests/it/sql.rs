//! No value becomes part of an SQL text: every statement is a text of its own, or is listed here with the reason
//! why what it is put together from is fixed as well.

use std::path::{Path, PathBuf};

/// What takes SQL as its first argument.
const CALLS: &[&str] = &["prepare", "prepare_cached", "execute", "execute_batch", "query_row"];

/// A file, the first argument of a call in it, and why that is safe.
const BUILT: &[(&str, &str, &str)] = &[
    ("catalogue.rs", "&statement.sql()", "fixed conditions and columns; every value is bound"),
    ("export.rs", "&sql", "the names of a table and its columns, both constants of tvshows-core"),
    ("migrations.rs", "sql", "a numbered file of the repository"),
    ("published.rs", "sql", "the caller's text, one of this file's"),
    ("search.rs", "if keeps_published {", "one of two files of the repository"),
    ("staging.rs", "attempt", "no SQL: the values of a statement that is prepared"),
    ("staging.rs", "&sql", "definitions of the schema by a fixed condition"),
    (
        "staging.rs",
        "sql",
        "each caller's text is fixed, made of the columns of a constant, or a definition of the schema",
    ),
    ("stats.rs", "&format!(", "a constant expression, and tables that the caller names"),
];

/// The Rust sources that ship, by their path.
fn sources() -> Vec<(PathBuf, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut open: Vec<PathBuf> = ["crates", "bins"].iter().map(|part| root.join(part)).collect();
    let mut sources = Vec::new();
    while let Some(path) = open.pop() {
        if path.is_dir() && !path.ends_with("tests") && !path.ends_with("benches") {
            open.extend(std::fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let text = std::fs::read_to_string(&path).unwrap();
            let shipped = text.split("#[cfg(test)]").next().unwrap_or_default().to_owned();
            sources.push((path, shipped));
        }
    }
    sources
}

/// The first argument of each call that may take SQL, up to the comma or bracket that ends it.
fn arguments(source: &str) -> impl Iterator<Item = &str> {
    let calls = CALLS
        .iter()
        .flat_map(move |call| source.match_indices(call).map(move |(at, _)| (at, call)));
    calls.filter_map(move |(at, call)| {
        let is_method = source[..at].ends_with('.');
        let rest = source[at + call.len()..].strip_prefix('(').filter(|_| is_method)?;
        Some(first_argument(rest.trim_start()))
    })
}

fn first_argument(rest: &str) -> &str {
    let (mut depth, mut in_text, mut before) = (0, false, ' ');
    for (at, char) in rest.char_indices() {
        match char {
            '"' if before != '\\' => in_text = !in_text,
            '(' | '[' if !in_text => depth += 1,
            ',' | ')' | ']' if !in_text && depth == 0 => return &rest[..at],
            ')' | ']' if !in_text => depth -= 1,
            _ => {}
        }
        before = char;
    }
    rest
}

/// A text of its own, or no SQL at all but what is bound to a statement.
fn is_fixed(argument: &str) -> bool {
    let fixed = ["\"", "concat!(", "include_str!(", "[", "params!", "("];
    let name = argument.rsplit("::").next().unwrap_or_default();
    let is_constant = name.chars().all(|char| char.is_ascii_uppercase() || char == '_');
    is_constant || fixed.iter().any(|start| argument.starts_with(start))
}

#[test]
fn no_value_becomes_part_of_a_statement() {
    let mut used = vec![false; BUILT.len()];
    let mut statements = 0;
    for (path, source) in sources() {
        for argument in arguments(&source) {
            statements += 1;
            if is_fixed(argument) {
                continue;
            }
            let known = BUILT
                .iter()
                .position(|(file, start, _)| path.ends_with(file) && argument.starts_with(start));
            let known = known.unwrap_or_else(|| {
                panic!("{}: {argument:?} is no fixed SQL; bind the values", path.display())
            });
            used[known] = true;
        }
    }
    assert!(statements > 40, "{statements}: the search finds nothing any more");
    for ((file, argument, _), used) in BUILT.iter().zip(used) {
        assert!(used, "{file} has no {argument:?} any more: take it off the list");
    }
}

#[test]
fn a_statement_with_a_value_in_it_is_found() {
    let source = r#"a.execute(&format!("DELETE FROM t WHERE a = '{}'", b), []); c.prepare(sql)?; d.query_row([1], f);
        e.query_row("SELECT ','", [], f)"#;
    let mut found: Vec<_> = arguments(source).filter(|argument| !is_fixed(argument)).collect();
    found.sort_unstable();
    assert_eq!(found, [r#"&format!("DELETE FROM t WHERE a = '{}'", b)"#, "sql"]);
}
