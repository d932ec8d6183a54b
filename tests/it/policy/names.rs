//! Nonstandard names, and traits with too many methods.

use super::sources::{files, root};

const MAX_TRAIT_METHODS: usize = 12;

/// Every `file:line: text` of the workspace's Rust code that a check finds.
fn offenders(check: impl Fn(&str) -> Vec<usize>) -> String {
    let mut offenders = Vec::new();
    for file in files(&["crates", "bins", "benches", "fuzz/fuzz_targets", "tests"], "rs") {
        // This file spells out what it forbids.
        if file.ends_with(file!().rsplit('/').next().unwrap()) {
            continue;
        }
        let source = std::fs::read_to_string(&file).unwrap();
        let path = file.strip_prefix(root()).unwrap().display();
        let lines: Vec<_> = source.lines().collect();
        let found = check(&source).into_iter();
        offenders.extend(found.map(|at| format!("{path}:{}: {}", at + 1, lines[at].trim())));
    }
    offenders.join("\n")
}

/// The lines with a name that the field has a standard term for: `ParseXError` or `InvalidX`, `MAX_X`, `MIN_X`,
/// `X_TIMEOUT`, and `new`, `from_x` or `open`.
fn nonstandard_names(source: &str) -> Vec<usize> {
    let is_nonstandard = |line: &&str| {
        let words: Vec<&str> = line
            .split(|sign: char| !sign.is_alphanumeric() && sign != '_')
            .filter(|word| !word.is_empty())
            .collect();
        let is_constant = |word: &&str| {
            word.starts_with("MOST_") || word.starts_with("LEAST_") || word.ends_with("PATIENCE")
        };
        let is_item = |pair: &[&str]| match pair {
            ["struct" | "enum", name] => {
                name.strip_prefix("Wrong").is_some_and(|rest| rest.starts_with(char::is_uppercase))
            }
            pair => pair == ["fn", "of"],
        };
        !line.trim_start().starts_with("//")
            && (words.iter().any(is_constant) || words.windows(2).any(is_item))
    };
    let lines = source.lines().enumerate();
    lines.filter(|(_, line)| is_nonstandard(line)).map(|(at, _)| at).collect()
}

/// The lines where a trait with too many methods begins. Relies on the layout of rustfmt.
fn large_traits(source: &str) -> Vec<usize> {
    let lines: Vec<&str> = source.lines().collect();
    let begins_trait = |line: &str| {
        let item = line.trim_start().trim_start_matches("pub(crate) ").trim_start_matches("pub ");
        item.trim_start_matches("unsafe ").starts_with("trait ") && !line.ends_with('}')
    };
    let methods = |at: usize| {
        let indent = &lines[at][..lines[at].len() - lines[at].trim_start().len()];
        let body = lines[at + 1..].iter().take_while(|line| **line != format!("{indent}}}"));
        let is_method = |line: &&&str| {
            let item = line.strip_prefix(&format!("{indent}    ")).unwrap_or_default();
            ["fn ", "async fn "].iter().any(|start| item.starts_with(start))
        };
        body.filter(is_method).count()
    };
    let traits = (0..lines.len()).filter(|at| begins_trait(lines[*at]));
    traits.filter(|at| methods(*at) > MAX_TRAIT_METHODS).collect()
}

#[test]
fn names_are_the_standard_ones() {
    let found = offenders(nonstandard_names);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn no_trait_has_more_than_a_dozen_methods() {
    let found = offenders(large_traits);
    assert!(found.is_empty(), "\n{found}");
}

#[test]
fn the_checks_find_what_they_forbid() {
    let source = "pub struct WrongDate;\nstruct Wrongly;\nconst MOST_RUNS: u8 = 1;\nfn of(\nfn often(\n\
                  // PATIENCE\nconst HEAD_PATIENCE: u8 = 1;";
    assert_eq!(nonstandard_names(source), [0, 2, 3, 6]);
    let large = |methods| format!("pub trait T {{\n{}}}\n", "    fn f();\n".repeat(methods));
    assert_eq!(large_traits(&large(12)), [0; 0]);
    assert_eq!(large_traits(&(large(12) + &large(13))), [14]);
}
