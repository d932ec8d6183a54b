//! The Python and Node.js packages that tests use.

use std::path::{Path, PathBuf};

/// Returns a path in the folder in which `scripts/setup.sh clients` installs the packages. If it does not exist, prints
/// that the test is skipped and returns `None`; in CI on Linux, panics.
pub(crate) fn installed(test: &str, path: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("clients").join(path);
    let is_installed = path.exists();
    if !is_installed {
        let is_required = cfg!(target_os = "linux") && std::env::var_os("CI").is_some();
        assert!(!is_required, "{} is missing: run scripts/setup.sh clients", path.display());
        println!("skipped: {test} needs {}: run scripts/setup.sh clients", path.display());
    }
    is_installed.then_some(path)
}

/// A Python with programs that read the database or the exports.
pub(crate) fn readers(test: &str) -> Option<PathBuf> {
    installed(test, "readers/installed").map(|marker| marker.with_file_name("bin/python"))
}
