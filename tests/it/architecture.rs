//! Which crate may know which: the table of docs/architecture.md, read from `cargo metadata`.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand, Package};

/// A crate, the crates of the workspace that it may import, and crates that it must never see, not
/// even through others.
const RULES: &[(&str, &[&str], &[&str])] = &[
    ("tvmaze-client", &[], &["actix-web", "rusqlite", "redis", "clap"]),
    ("tvmaze-sim", &[], &["reqwest", "rusqlite", "redis", "clap"]),
    ("tvshows-core", &[], &["reqwest", "rusqlite", "redis", "actix-web", "tokio", "clap"]),
    ("tvshows-sqlite", &["tvshows-core"], &["reqwest", "actix-web", "redis", "clap"]),
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
    // It measures the binary from outside, and the parts of a run alone.
    ("tvshows-benches", &["tvmaze-client"], &["redis"]),
];

fn metadata() -> Metadata {
    let mut command = MetadataCommand::new();
    command.manifest_path(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
    // Crates for other systems may not be here, and a test does not download.
    let options = ["--locked", "--offline", "--filter-platform", &host()];
    command.other_options(options.map(str::to_owned));
    command.exec().unwrap()
}

/// The target that this machine's compiler builds for.
fn host() -> String {
    let version = std::process::Command::new("rustc").arg("-vV").output().unwrap();
    let version = String::from_utf8(version.stdout).unwrap();
    version.lines().find_map(|line| line.strip_prefix("host: ")).unwrap().to_owned()
}

/// Names of the packages that `package` imports itself, for its own code and not for its tests.
fn imports(package: &Package) -> BTreeSet<String> {
    let normal =
        package.dependencies.iter().filter(|each| each.kind != DependencyKind::Development);
    normal.map(|dependency| dependency.name.clone()).collect()
}

/// Names of all packages that `name` imports, itself or through others.
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
fn nobody_sees_what_is_none_of_their_business() {
    let metadata = metadata();
    for (name, allowed, forbidden) in RULES {
        let reached = reach(&metadata, name);
        for other in forbidden.iter().filter(|other| reached.contains(**other)) {
            // What an allowed crate brings along, its user has; it must not import it itself.
            let package =
                *metadata.workspace_packages().iter().find(|each| each.name == *name).unwrap();
            let through_allowed =
                allowed.iter().any(|each| reach(&metadata, each).contains(*other));
            assert!(through_allowed && !imports(package).contains(*other), "{name} sees {other}");
        }
    }
}

/// What `cargo tree` says of tvmaze-client with `options`, a crate a line.
fn tree_of_client(options: &[&str]) -> BTreeSet<String> {
    let cargo = std::env::var("CARGO").unwrap_or("cargo".into());
    let mut tree = std::process::Command::new(cargo);
    tree.args(["tree", "--package", "tvmaze-client", "--edges", "normal", "--prefix", "none"]);
    tree.args(["--locked", "--offline", "--target", &host()]).args(options);
    tree.current_dir(env!("CARGO_MANIFEST_DIR"));
    let output = tree.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let name_and_version = |line: &str| line.split(' ').take(2).collect::<Vec<_>>().join(" ");
    String::from_utf8(output.stdout).unwrap().lines().skip(1).map(name_and_version).collect()
}

#[test]
fn the_client_lists_what_it_depends_on() {
    let readme = include_str!("../../crates/tvmaze-client/README.md");
    let count = tree_of_client(&[]).len();
    assert!(readme.contains(&format!("{count} crates in all")), "{count} crates by now");
    for direct in tree_of_client(&["--depth", "1"]) {
        let name = direct.split(' ').next().unwrap();
        assert!(readme.contains(&format!("`{name}`")), "{name} is not listed");
    }
}

#[test]
fn the_domain_reads_no_clock_and_no_environment() {
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/../../crates/tvshows-core/src");
    let mut folders = vec![std::path::PathBuf::from(source)];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let text = std::fs::read_to_string(&path).unwrap();
            for word in ["std::env", "SystemTime", "Instant", "::now(", "std::fs", "std::net"] {
                assert!(!text.contains(word), "{} uses {word}", path.display());
            }
        }
    }
}
