//! Processes that are measured: the release binary and what stands beside it.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail, ensure};

/// Linux counts the time of processes in hundredths of a second.
const TICKS_A_SECOND: f64 = 100.0;

/// A process that serves until this value is dropped.
pub(crate) struct Program {
    process: Child,
    /// Its first line ends in a URL, or has it as its second word.
    pub(crate) base_url: String,
}

impl Program {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<Program> {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().context("the output is a pipe")?;
        BufReader::new(output).read_line(&mut line)?;
        let base_url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let Some(base_url) = base_url.map(str::to_owned) else {
            bail!("{command:?} did not start")
        };
        Ok(Program { process, base_url })
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        self.base_url.trim_start_matches("http://")
    }

    /// Seconds on a processor so far.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The name, in brackets, may hold spaces.
        let fields: Vec<_> =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |field: usize| fields.get(field).and_then(|ticks| ticks.parse::<f64>().ok());
        let (Some(user), Some(system)) = (ticks(11), ticks(12)) else { bail!("{stat}") };
        Ok((user + system) / TICKS_A_SECOND)
    }

    /// Bytes in memory now.
    pub(crate) fn memory(&self) -> anyhow::Result<f64> {
        self.memory_line("VmRSS:")
    }

    /// The most bytes in memory so far.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<f64> {
        self.memory_line("VmHWM:")
    }

    /// Lets the peak begin anew at the present.
    pub(crate) fn forget_peak_memory(&self) -> anyhow::Result<()> {
        Ok(std::fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5")?)
    }

    fn memory_line(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line =
            status.lines().find_map(|line| line.strip_prefix(name)).context("no such line")?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The release binary, with none of the settings of whoever measures.
pub(crate) fn tvshows(arguments: &[&str]) -> anyhow::Result<Command> {
    let binary = binary()?;
    ensure!(binary.exists(), "there is no {}; `make bench` builds it", binary.display());
    let mut command = Command::new(binary);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).args(arguments);
    Ok(command)
}

/// The release binary lies beside this program.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("tvshows"))
}

/// A service on the database, on a free port.
pub(crate) fn service(database: &str, arguments: &[&str]) -> anyhow::Result<Program> {
    let mut command = tvshows(&["serve", "--port", "0", "--database-path", database])?;
    Program::start(command.args(arguments).stderr(Stdio::null()))
}

/// The simulator of TVmaze, on a free port.
pub(crate) fn simulator(arguments: &[&str]) -> anyhow::Result<Program> {
    Program::start(tvshows(&["sim", "--port", "0"])?.args(arguments))
}

/// What a command took that has ended.
pub(crate) struct Spent {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_memory: f64,
    /// What it printed.
    pub(crate) output: Vec<u8>,
}

/// Runs a command to its end, which must be a good one.
pub(crate) fn run(command: &Command) -> anyhow::Result<Spent> {
    let folder = tempfile::tempdir()?;
    let notes = folder.path().join("time");
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["--format", "%e %U %S %M", "--output"]).arg(&notes);
    timed.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            timed.env(name, value);
        }
    }
    let output = timed.stdin(Stdio::null()).output().context("/usr/bin/time")?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let notes = std::fs::read_to_string(notes)?;
    let figures: Result<Vec<f64>, _> = notes.split_whitespace().map(str::parse).collect();
    let [seconds, user, system, kilobytes] = figures?[..] else { bail!("{notes}") };
    let (cpu_seconds, peak_memory) = (user + system, kilobytes * 1024.0);
    Ok(Spent { seconds, cpu_seconds, peak_memory, output: output.stdout })
}
