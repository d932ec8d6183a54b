use std::path::PathBuf;
use std::process::Stdio;

use tempfile::TempDir;
use tokio::process::Command;

/// A library that shifts the wall clock of a process.
pub struct SkewedClock(TempDir);

impl SkewedClock {
    /// Compiles the library. If it cannot be used here, prints that the test is skipped and returns `None`.
    pub async fn compile(test: &str) -> Option<SkewedClock> {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("skewed_clock.c");
        std::fs::write(&source, include_str!("skewed_clock.c")).unwrap();
        let clock = SkewedClock(folder);
        let mut compiler = Command::new("cc");
        compiler.args(["-shared", "-fPIC", "-O1", "-o"]).arg(clock.library()).arg(source);
        let status = compiler.stdout(Stdio::null()).stderr(Stdio::null()).status().await;
        if cfg!(target_os = "linux") && status.is_ok_and(|status| status.success()) {
            return Some(clock);
        }
        println!("skipped: {test} needs Linux and a C compiler");
        None
    }

    /// Shifts the wall clock of a command by some seconds.
    pub fn apply(&self, command: &mut Command, seconds: i32) {
        command.env("LD_PRELOAD", self.library()).env("CLOCK_OFFSET", seconds.to_string());
    }

    fn library(&self) -> PathBuf {
        self.0.path().join("skewed_clock.so")
    }
}
