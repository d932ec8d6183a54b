//! The documents are correct: their commands run as printed, the responses have the documented keys, links lead
//! somewhere, and the tests that are named exist.
//!
//! Shell commands are in `sh` blocks. A comment on the line before a block may say how to run it: `not run:` and the
//! reason, or one of [`Run`](markdown::Run). `http://localhost:8000` is a service in a temporary folder, `REQUEST_ID`
//! one of its runs, and TVmaze a simulator where show 82 is Game of Thrones.

mod commands;
mod links;
mod markdown;
mod shell;

use std::collections::BTreeSet;

use tokio::task::JoinSet;

use self::commands::run_block;
use self::markdown::Document;
use self::shell::Shell;
use super::sources::{files, root};

#[tokio::test]
async fn every_command_works_as_printed() {
    let mut documents = JoinSet::new();
    for document in Document::all() {
        documents.spawn(async move {
            let mut problems = document.problems.clone();
            if document.blocks.iter().any(|block| block.run.is_some()) {
                let mut shell = Shell::new().await;
                for block in &document.blocks {
                    let outcome = run_block(&mut shell, block).await;
                    problems.extend(
                        outcome
                            .err()
                            .map(|what| format!("{}:{}: {what}", document.name, block.line)),
                    );
                }
            }
            problems
        });
    }
    let problems = documents.join_all().await.concat();
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[tokio::test]
async fn every_example_of_the_help_works() {
    let mut helps = vec![commands::help(&[]).await];
    for command in commands::names().await {
        helps.push(commands::help(&[&command]).await);
    }
    let mut all = BTreeSet::new();
    for help in helps {
        let (_, examples) = help.split_once("\nExamples:\n").expect("each help has examples");
        let examples = examples.lines().take_while(|line| line.starts_with("  "));
        // The explanation of an example is two spaces to its right, or below it.
        let commands = examples.map(|line| line.trim().split("  ").next().unwrap());
        all.extend(commands.filter(|line| line.starts_with("tvshows ")).map(str::to_owned));
    }
    let mut shell = Shell::new().await;
    for example in all {
        let outcome = commands::run(&mut shell, &example).await;
        assert!(outcome.is_ok(), "{example}: {}", outcome.unwrap_err());
        // For the examples that show the latest run.
        if example.starts_with("tvshows cancel") {
            let service = shell.service.as_ref().unwrap();
            let run = service.submit("").await;
            assert_eq!(service.wait_for_end(&run).await["state"], "succeeded");
        }
    }
}

#[tokio::test]
async fn commands_named_in_the_text_exist() {
    let makefile = std::fs::read_to_string(root().join("Makefile")).unwrap();
    let commands = commands::names().await;
    for document in Document::all() {
        for code in &document.code {
            let mut words = code.split_whitespace();
            match (words.next(), words.next()) {
                (Some("make"), Some(target)) => {
                    let exists = makefile.contains(&format!("\n{target}:"));
                    assert!(exists, "{}: `make {target}` does not exist", document.name);
                }
                (Some("tvshows"), Some(command)) if !command.starts_with('-') => {
                    assert!(commands.contains(command), "{}: no `{code}`", document.name);
                    let help = commands::help(&[command]).await;
                    for flag in words.map(|word| word.trim_matches(['[', ']'])) {
                        let flag = flag.split('=').next().unwrap();
                        let known = !flag.starts_with("--") || help.contains(&format!(" {flag}"));
                        assert!(known, "{}: no {flag} for `{code}`", document.name);
                    }
                }
                _ => {}
            }
        }
    }
}

#[test]
fn every_route_has_an_example() {
    let documents = Document::all();
    let has_examples = |document: &&Document| {
        ["docs/api.md", "docs/tvmaze-api.md"].contains(&document.name.as_str())
    };
    let shown: Vec<_> = documents
        .iter()
        .filter(has_examples)
        .flat_map(|document| &document.blocks)
        .flat_map(|block| block.text.split("http://localhost:8000").skip(1))
        .map(|url| url.split(['?', '\'', ' ', '\n']).next().unwrap())
        .collect();
    let openapi: serde_json::Value =
        serde_json::from_str(include_str!("../../../docs/openapi.json")).unwrap();
    for route in openapi["paths"].as_object().unwrap().keys() {
        let is_of_it = |path: &&str| {
            let (route, path) = (route.split('/'), path.split('/'));
            route.clone().count() == path.clone().count()
                && route.zip(path).all(|(part, shown)| part.starts_with('{') || part == shown)
        };
        assert!(
            shown.iter().any(is_of_it),
            "docs/api.md and docs/tvmaze-api.md have no example of {route}"
        );
    }
}

#[test]
fn links_lead_somewhere_and_every_document_is_linked() {
    let problems = links::problems(&Document::all());
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn every_claim_of_the_comparison_names_the_tests_that_prove_it() {
    let documents = Document::all();
    let comparison = documents.iter().find(|each| each.name == "docs/comparison.md").unwrap();
    let rows: Vec<_> =
        comparison.text.lines().filter(|line| line.starts_with("| ")).skip(2).collect();
    assert!(rows.len() > 5, "the comparison is a table");
    let tests = tests();
    for row in rows {
        let proof = row.trim_end_matches(" |").rsplit(" | ").next().unwrap();
        let names: Vec<_> = proof.split('`').skip(1).step_by(2).collect();
        assert!(!names.is_empty(), "no test is named: {row}");
        for name in names {
            assert!(tests.contains(name), "there is no test {name}: {row}");
        }
    }
}

/// The names of all tests of the workspace.
fn tests() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for file in files(&["tests", "crates", "bins"], "rs") {
        let text = std::fs::read_to_string(file).unwrap();
        let attributes = ["#[test]\n", "#[tokio::test]\n"];
        for rest in attributes.iter().flat_map(|attribute| text.split(attribute).skip(1)) {
            let name = rest.split_once("fn ").unwrap().1.split('(').next().unwrap();
            names.insert(name.to_owned());
        }
    }
    names
}

#[tokio::test]
async fn every_command_is_in_the_readme() {
    let documents = Document::all();
    let readme = documents.iter().find(|document| document.name == "README.md").unwrap();
    for command in commands::names().await {
        let named = readme.code.iter().any(|code| code.starts_with(&format!("tvshows {command}")));
        assert!(named, "README.md does not name `tvshows {command}`");
    }
}

#[test]
fn the_free_space_for_an_update_is_the_same_everywhere() {
    let mb = tvshows_sqlite::UPDATE_FREE_MB;
    let read = |name: &str| std::fs::read_to_string(root().join("docs").join(name)).unwrap();
    let operations = read("operations.md").replace('\n', " ");
    assert!(operations.contains(&format!("| Free disk space | {mb} MB for an update")));
    assert!(
        operations.contains(&format!("free disk space is less than the {mb} MB that an [update"))
    );
    assert!(read("operations/alerts.yaml").contains(&format!("tvshows_store_free_bytes < {mb}e6")));
}
