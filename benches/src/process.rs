//! The processes to measure: the release binary and its baselines.

use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, bail, ensure};

/// The unit of the CPU times in `/proc/PID/stat`: `USER_HZ`, which is 100 on Linux.
const TICKS_PER_SECOND: f64 = 100.0;

/// A running server, killed on drop.
pub(crate) struct ServerProcess {
    process: Child,
    /// The URL in the first line of its output.
    pub(crate) base_url: String,
}

impl ServerProcess {
    pub(crate) fn start(command: &mut Command) -> anyhow::Result<ServerProcess> {
        let mut process = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
        let mut line = String::new();
        let output = process.stdout.take().context("the output is a pipe")?;
        BufReader::new(output).read_line(&mut line)?;
        let base_url = line.split_whitespace().find(|word| word.starts_with("http://"));
        let Some(base_url) = base_url.map(str::to_owned) else {
            bail!("{command:?} did not start")
        };
        Ok(ServerProcess { process, base_url })
    }

    /// `host:port`.
    pub(crate) fn address(&self) -> &str {
        self.base_url.trim_start_matches("http://")
    }

    /// The CPU time used so far.
    pub(crate) fn cpu_seconds(&self) -> anyhow::Result<f64> {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.process.id()))?;
        // The command name, in parentheses, may contain spaces.
        let fields: Vec<_> =
            stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |field: usize| fields.get(field).and_then(|ticks| ticks.parse::<f64>().ok());
        let (Some(user), Some(system)) = (ticks(11), ticks(12)) else {
            bail!("unexpected /proc/PID/stat: {stat}")
        };
        Ok((user + system) / TICKS_PER_SECOND)
    }

    /// The resident set size in bytes.
    pub(crate) fn memory(&self) -> anyhow::Result<f64> {
        self.status_bytes("VmRSS:")
    }

    /// The maximum resident set size in bytes.
    pub(crate) fn peak_memory(&self) -> anyhow::Result<f64> {
        self.status_bytes("VmHWM:")
    }

    /// Resets the peak to the current memory use.
    pub(crate) fn reset_peak_memory(&self) -> anyhow::Result<()> {
        Ok(std::fs::write(format!("/proc/{}/clear_refs", self.process.id()), "5")?)
    }

    fn status_bytes(&self, name: &str) -> anyhow::Result<f64> {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.id()))?;
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(name))
            .with_context(|| format!("no {name} in /proc/PID/status"))?;
        Ok(line.trim().trim_end_matches(" kB").parse::<f64>()? * 1024.0)
    }
}

impl Drop for ServerProcess {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// The release binary, without the settings in the user's environment.
pub(crate) fn tvshows(arguments: &[&str]) -> anyhow::Result<Command> {
    let binary = binary()?;
    ensure!(binary.exists(), "{} not found; run `make bench` to build it", binary.display());
    let mut command = Command::new(binary);
    let path = std::env::var_os("PATH").unwrap_or_default();
    command.env_clear().env("PATH", path).args(arguments);
    Ok(command)
}

/// The release binary, which is in the same directory as this program.
pub(crate) fn binary() -> anyhow::Result<PathBuf> {
    Ok(std::env::current_exe()?.with_file_name("tvshows"))
}

/// A service with this database, on a free port.
pub(crate) fn service(database: &str, arguments: &[&str]) -> anyhow::Result<ServerProcess> {
    let mut command = tvshows(&["serve", "--port", "0", "--database-path", database])?;
    ServerProcess::start(command.args(arguments).stderr(Stdio::null()))
}

/// The built-in TVmaze simulator, on a free port.
pub(crate) fn simulator(arguments: &[&str]) -> anyhow::Result<ServerProcess> {
    ServerProcess::start(tvshows(&["sim", "--port", "0"])?.args(arguments))
}

/// The resources that a completed command used.
pub(crate) struct ResourceUsage {
    pub(crate) seconds: f64,
    pub(crate) cpu_seconds: f64,
    /// In bytes.
    pub(crate) peak_memory: f64,
    /// The standard output.
    pub(crate) output: Vec<u8>,
}

/// Runs a command, which must succeed.
pub(crate) fn run(command: &Command) -> anyhow::Result<ResourceUsage> {
    let directory = tempfile::tempdir()?;
    let report = directory.path().join("time");
    let mut timed = Command::new("/usr/bin/time");
    timed.args(["--format", "%e %U %S %M", "--output"]).arg(&report);
    timed.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        if let Some(value) = value {
            timed.env(name, value);
        }
    }
    let output = timed.stdin(Stdio::null()).output().context("/usr/bin/time")?;
    ensure!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
    let report = std::fs::read_to_string(report)?;
    let figures: Result<Vec<f64>, _> = report.split_whitespace().map(str::parse).collect();
    let [seconds, user, system, kilobytes] = figures?[..] else {
        bail!("unexpected output of time: {report}")
    };
    let (cpu_seconds, peak_memory) = (user + system, kilobytes * 1024.0);
    Ok(ResourceUsage { seconds, cpu_seconds, peak_memory, output: output.stdout })
}
