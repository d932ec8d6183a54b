//! The files of the repository.

use std::collections::BTreeSet;
use std::path::PathBuf;

/// The root of the repository.
pub(super) fn root() -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../..")).canonicalize().unwrap()
}

/// The files with an extension below some folders of the repository.
pub(super) fn files(folders: &[&str], extension: &str) -> BTreeSet<PathBuf> {
    let mut open: Vec<_> = folders.iter().map(|folder| root().join(folder)).collect();
    let mut found = BTreeSet::new();
    while let Some(folder) = open.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                let is_ours = !path.ends_with("node_modules") && !path.ends_with("target");
                open.extend(is_ours.then_some(path));
            } else if path.extension().is_some_and(|found| found == extension) {
                found.insert(path);
            }
        }
    }
    found
}
