//! Metrics of the process itself, under the names that Prometheus client libraries use.

use std::fmt::{Display, Write};
use std::time::Duration;

use procfs::process::{LimitValue, Process};
use procfs::{ProcResult, WithCurrentSystemInfo};

/// Renders the metrics in Prometheus' text format, or nothing if they cannot be read.
///
/// They bypass the recorder because its counters are integers, and CPU time needs fractions of a second.
pub(crate) fn render() -> String {
    try_render().unwrap_or_default()
}

fn try_render() -> ProcResult<String> {
    let process = Process::myself()?;
    let stat = process.stat()?;
    let ticks = procfs::ticks_per_second();
    let cpu = Duration::from_millis((stat.utime + stat.stime) * 1000 / ticks).as_secs_f64();
    let started_at = procfs::boot_time_secs()? + stat.starttime / ticks;
    let mut text = String::new();
    write(&mut text, "process_cpu_seconds_total", "counter", "User and system CPU time", cpu);
    let mut gauge = |name, help, value: u64| write(&mut text, name, "gauge", help, value);
    gauge("process_start_time_seconds", "Start time, as a Unix timestamp", started_at);
    gauge("process_threads", "Threads", stat.num_threads.unsigned_abs());
    gauge("process_virtual_memory_bytes", "Virtual memory size", stat.vsize);
    gauge("process_resident_memory_bytes", "Resident memory size", stat.rss_bytes().get());
    gauge("process_open_fds", "Open file descriptors", process.fd_count()? as u64);
    if let LimitValue::Value(limit) = process.limits()?.max_open_files.soft_limit {
        gauge("process_max_fds", "Maximum number of open file descriptors", limit);
    }
    Ok(text)
}

fn write(text: &mut String, name: &str, kind: &str, help: &str, value: impl Display) {
    // Writing to a string cannot fail.
    let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
}
