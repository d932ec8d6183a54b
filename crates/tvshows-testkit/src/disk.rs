use std::fs::File;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

/// A file system of its own, with a given size.
pub struct SmallDisk(TempDir);

impl SmallDisk {
    /// Mounts a disk of a size such as `4m`; `None` if the user may not mount file systems, which it prints.
    pub fn mount(test: &str, size: &str) -> Option<SmallDisk> {
        let folder = tempfile::tempdir().unwrap();
        let options = format!("size={size}");
        if !mount(&["-t", "tmpfs", "-o", &options, "tmpfs"], folder.path()) {
            println!("skipped: {test} needs the right to mount");
            return None;
        }
        Some(SmallDisk(folder))
    }

    /// Changes an option, such as `size=100m` or `ro`.
    pub fn remount(&self, options: &str) {
        assert!(mount(&["-o", &format!("remount,{options}")], self.0.path()));
    }

    /// The folder on the disk.
    pub fn folder(&self) -> &Path {
        self.0.path()
    }

    /// A path for a database on the disk.
    pub fn database(&self) -> PathBuf {
        self.0.path().join("tvshows.db")
    }

    /// Writes until not even a small file has space.
    pub fn fill(&self) {
        let mut ballast = File::create(self.ballast()).unwrap();
        for step in [1 << 20, 1 << 10, 1] {
            while ballast.write_all(&vec![1; step]).is_ok() {}
        }
    }

    /// Deletes what [`fill`](Self::fill) wrote.
    pub fn empty(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> PathBuf {
        self.0.path().join("ballast")
    }

    /// The size of its files in kB.
    pub fn used(&self) -> u64 {
        let files = std::fs::read_dir(self.0.path()).unwrap();
        files.map(|file| file.unwrap().metadata().unwrap().len()).sum::<u64>() / 1024
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        unmount(self.0.path());
    }
}

/// A folder in which nothing can be changed until this is dropped.
pub struct ReadOnlyFolder(PathBuf);

impl ReadOnlyFolder {
    /// Makes an existing folder read-only: by its mode, or for root by a mount. `None` if neither works, which it
    /// prints.
    pub fn new(test: &str, folder: &Path) -> Option<ReadOnlyFolder> {
        let this = ReadOnlyFolder(folder.to_owned());
        let is_writable = || tempfile::tempfile_in(folder).is_ok();
        set_writable(folder, false);
        if is_writable() {
            mount(&["--bind"], folder);
            mount(&["-o", "remount,bind,ro"], folder);
        }
        if is_writable() {
            println!("skipped: {test} needs a read-only folder");
            return None;
        }
        Some(this)
    }
}

impl Drop for ReadOnlyFolder {
    fn drop(&mut self) {
        unmount(&self.0);
        set_writable(&self.0, true);
    }
}

fn set_writable(path: &Path, is_writable: bool) {
    let mode = if is_writable { "u+w" } else { "a-w" };
    let _ = Command::new("chmod").arg(mode).arg(path).stderr(Stdio::null()).status();
}

fn mount(options: &[&str], folder: &Path) -> bool {
    let mut command = Command::new("mount");
    command.args(options).stderr(Stdio::null());
    if options == ["--bind"] {
        command.arg(folder);
    }
    command.arg(folder).status().is_ok_and(|status| status.success())
}

fn unmount(folder: &Path) {
    // Lazily, because a service may still have a file open.
    let _ = Command::new("umount").arg("-l").arg(folder).stderr(Stdio::null()).status();
}
