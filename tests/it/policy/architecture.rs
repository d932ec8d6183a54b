//! The allowed dependencies of docs/architecture.md, compared with `cargo metadata`.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// A crate, the workspace crates that it may depend on, and crates that it must not depend on, not even indirectly.
const RULES: &[(&str, &[&str], &[&str])] = &[
    ("tvmaze-client", &[], &["actix-web", "rusqlite", "redis", "clap"]),
    ("tvmaze-sim", &[], &["reqwest", "rusqlite", "redis", "clap"]),
    ("tvshows-core", &[], &["reqwest", "rusqlite", "redis", "actix-web", "tokio", "clap"]),
    ("tvshows-sqlite", &["tvshows-core"], &["reqwest", "actix-web", "redis", "clap"]),
    ("tvshows-postgres", &["tvshows-core"], &["reqwest", "actix-web", "rusqlite", "redis", "clap"]),
    (
        "tvshows-replica",
        &["tvshows-core"],
        &["reqwest", "actix-web", "rusqlite", "redis", "tokio-postgres", "clap"],
    ),
    ("tvshows-export", &["tvshows-core"], &["reqwest", "actix-web", "rusqlite", "redis", "clap"]),
    ("tvshows-progress", &["tvshows-core"], &["reqwest", "actix-web", "rusqlite", "clap"]),
    (
        "tvshows-pipeline",
        &["tvshows-core", "tvmaze-client"],
        &["rusqlite", "redis", "actix-web", "clap"],
    ),
    (
        "tvshows-api",
        &["tvshows-core", "tvshows-export", "tvshows-pipeline"],
        &["rusqlite", "redis", "clap"],
    ),
    // For tests only: no rule allows a dependency on it, and dev-dependencies are free.
    ("tvshows-testkit", &["tvmaze-sim"], &["actix-web", "redis", "clap"]),
    // They measure the binary from outside.
    ("tvshows-benches", &["tvmaze-client"], &["redis"]),
];

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    // Crates for other platforms may be missing, and a test downloads nothing.
    let options = ["--locked", "--offline", "--filter-platform", &host()];
    command.other_options(options.map(str::to_owned));
    command.exec().unwrap()
}

/// The host target triple of the compiler.
fn host() -> String {
    let version = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// The direct dependencies of `package`, without dev-dependencies.
fn imports(package: &Package) -> BTreeSet<String> {
    let normal =
        package.dependencies.iter().filter(|each| each.kind != DependencyKind::Development);
    normal.map(|dependency| dependency.name.clone()).collect()
}

/// All dependencies of `name`, direct and indirect.
fn reach(metadata: &Metadata, name: &str) -> BTreeSet<String> {
    let graph = metadata.resolve.as_ref().unwrap();
    let id = |name: &str| {
        metadata.workspace_packages().into_iter().find(|each| each.name == name).unwrap().id.clone()
    };
    let (mut reached, mut open) = (BTreeSet::new(), vec![id(name)]);
    while let Some(next) = open.pop() {
        let node = graph.nodes.iter().find(|node| node.id == next).unwrap();
        for dependency in &node.deps {
            let is_test =
                |kind: &cargo_metadata::DepKindInfo| kind.kind == DependencyKind::Development;
            if !dependency.dep_kinds.iter().all(is_test) && reached.insert(dependency.pkg.clone()) {
                open.push(dependency.pkg.clone());
            }
        }
    }
    reached.iter().map(|id| metadata[id].name.to_string()).collect()
}

#[test]
fn imports_point_in_the_allowed_direction() {
    let metadata = metadata();
    let ours: BTreeSet<String> =
        metadata.workspace_packages().iter().map(|package| package.name.to_string()).collect();
    for package in metadata.workspace_packages() {
        if package.name == "tvshows" {
            assert!(!imports(package).contains("tvshows-testkit"), "it is for tests only");
            continue;
        }
        let (_, allowed, _) = RULES
            .iter()
            .find(|(name, ..)| package.name == *name)
            .unwrap_or_else(|| panic!("{} has no rule here", package.name));
        for import in imports(package).intersection(&ours) {
            assert!(allowed.contains(&import.as_str()), "{} imports {import}", package.name);
        }
    }
}

#[test]
fn crates_reach_no_crate_that_is_forbidden_to_them() {
    let metadata = metadata();
    for (name, allowed, forbidden) in RULES {
        let reached = reach(&metadata, name);
        for other in forbidden.iter().filter(|other| reached.contains(**other)) {
            // An allowed crate may bring it along, but the crate itself must not depend on it.
            let package =
                *metadata.workspace_packages().iter().find(|each| each.name == *name).unwrap();
            let through_allowed =
                allowed.iter().any(|each| reach(&metadata, each).contains(*other));
            assert!(through_allowed && !imports(package).contains(*other), "{name} sees {other}");
        }
    }
}

#[test]
fn the_client_lists_what_it_depends_on() {
    let readme = include_str!("../../../crates/tvmaze-client/README.md");
    let metadata = metadata();
    let packages = metadata.workspace_packages();
    let client = packages.iter().find(|package| package.name == "tvmaze-client").unwrap();
    for name in imports(client) {
        assert!(readme.contains(&format!("`{name}`")), "{name} is not listed");
    }
}

/// Returns the packages of a lock file, by name and version, with the names of their dependencies.
fn locked(text: &str) -> BTreeMap<(String, String), BTreeSet<String>> {
    let file: toml::Table = toml::from_str(text).unwrap();
    let text = |value: &toml::Value| value.as_str().unwrap().to_owned();
    let package = |package: &toml::Value| {
        let dependencies = package.get("dependencies").and_then(toml::Value::as_array);
        let dependencies = dependencies.into_iter().flatten().map(text);
        // Followed by the version if there are several.
        let names = dependencies.map(|each| each.split(' ').next().unwrap().to_owned()).collect();
        ((text(&package["name"]), text(&package["version"])), names)
    };
    file["package"].as_array().unwrap().iter().map(package).collect()
}

#[test]
fn the_fuzz_targets_use_the_locked_versions_of_the_workspace() {
    let fuzz = locked(include_str!("../../../fuzz/Cargo.lock"));
    let workspace = locked(include_str!("../../../Cargo.lock"));
    let own = ["fuzz", "libfuzzer-sys", "arbitrary"];
    let update = "run make fuzz-lock";
    for (name, version) in fuzz.keys().filter(|(name, _)| !own.contains(&name.as_str())) {
        let is_locked = workspace.contains_key(&(name.clone(), version.clone()));
        assert!(is_locked, "the workspace does not use {name} {version}: {update}");
    }
    for package in metadata().workspace_packages() {
        let key = (package.name.to_string(), package.version.to_string());
        let Some(locked) = fuzz.get(&key) else { continue };
        let optional = package.dependencies.iter().filter(|each| each.optional);
        let optional: BTreeSet<_> = optional.map(|each| each.name.clone()).collect();
        let missing: Vec<_> = imports(package)
            .into_iter()
            .filter(|name| !locked.contains(name) && !optional.contains(name))
            .collect();
        assert!(missing.is_empty(), "{} imports {missing:?}: {update}", package.name);
    }
}
