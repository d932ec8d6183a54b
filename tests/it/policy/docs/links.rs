//! Links between documents and to files.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use super::markdown::Document;
use crate::policy::sources::root;

/// Broken links, and documents that no path of links connects with README.md.
pub(crate) fn problems(documents: &[Document]) -> Vec<String> {
    let by_name: BTreeMap<_, _> =
        documents.iter().map(|document| (document.name.as_str(), document)).collect();
    let mut problems = Vec::new();
    let mut reached = BTreeSet::from(["README.md".to_owned()]);
    let mut open = vec!["README.md".to_owned()];
    while let Some(name) = open.pop() {
        for link in &by_name[name.as_str()].links {
            match target(&name, link, &by_name) {
                Ok(Some(next)) => open.extend(reached.insert(next.clone()).then_some(next)),
                Ok(None) => {}
                Err(problem) => problems.push(format!("{name}: {link}: {problem}")),
            }
        }
    }
    let alone = by_name.keys().filter(|name| !reached.contains(**name));
    problems.extend(alone.map(|name| format!("{name} is not linked")));
    problems
}

/// The document that a link leads to; `None` for other targets.
fn target(
    from: &str,
    link: &str,
    documents: &BTreeMap<&str, &Document>,
) -> Result<Option<String>, &'static str> {
    // Other sites are not checked, and rustdoc checks links to items.
    if link.contains("://") || link.starts_with("mailto:") || link.contains("::") {
        return Ok(None);
    }
    let (path, anchor) = link.split_once('#').unwrap_or((link, ""));
    let folder = Path::new(from).parent().unwrap();
    let found = if path.is_empty() { root().join(from) } else { root().join(folder).join(path) };
    let Ok(found) = found.canonicalize() else { return Err("there is no such file") };
    let found = if found.join("README.md").is_file() { found.join("README.md") } else { found };
    let Ok(name) = found.strip_prefix(root()) else { return Err("leads out of the repository") };
    let name = name.to_str().unwrap();
    match documents.get(name) {
        Some(document) if anchor.is_empty() || document.anchors.contains(anchor) => {
            Ok(Some(name.to_owned()))
        }
        Some(_) => Err("there is no such heading"),
        None if anchor.is_empty() => Ok(None),
        None => Err("has an anchor, and is no document"),
    }
}
