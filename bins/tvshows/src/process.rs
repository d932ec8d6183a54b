//! What the system says of this process, under the names that Prometheus' own clients use. Linux alone says it
//! in files; elsewhere there is nothing.

use std::fmt::Write;
use std::fs;

/// The clock ticks of a second in what Linux tells to programs, on every architecture that Rust has.
const TICKS: f64 = 100.0;

/// The metrics in Prometheus' text format. What cannot be read is left out.
pub(crate) fn metrics() -> String {
    let mut text = String::new();
    let mut tell = |name: &str, kind: &str, help: &str, value: Option<f64>| {
        if let Some(value) = value {
            let _ = write!(text, "# HELP {name} {help}\n# TYPE {name} {kind}\n{name} {value}\n");
        }
    };
    let stat = Stat::read();
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let cpu = stat.as_ref().and_then(Stat::cpu_seconds);
    tell("process_cpu_seconds_total", "counter", "Processor time of the process", cpu);
    let threads = stat.as_ref().and_then(|stat| stat.number(20));
    tell("process_threads", "gauge", "Threads of the process", threads);
    let memory = stat.as_ref().and_then(|stat| stat.number(23));
    tell("process_virtual_memory_bytes", "gauge", "Address space that the process has", memory);
    let memory = resident_bytes();
    tell("process_resident_memory_bytes", "gauge", "Memory that the process has", memory);
    let begun = stat.as_ref().and_then(Stat::start_seconds);
    tell("process_start_time_seconds", "gauge", "When the process started", begun);
    tell("process_open_fds", "gauge", "Files and connections that are open", open_files());
    let most = limit(&limits, "Max open files");
    tell("process_max_fds", "gauge", "Files and connections that may be open", most);
    text
}

/// The fields of `/proc/self/stat`, counted from 1 as proc(5) does.
struct Stat(Vec<String>);

impl Stat {
    fn read() -> Option<Stat> {
        let line = fs::read_to_string("/proc/self/stat").ok()?;
        // The name of the program may hold spaces and brackets; its end is the last bracket.
        let (_, after_name) = line.rsplit_once(") ")?;
        Some(Stat(after_name.split_whitespace().map(str::to_owned).collect()))
    }

    fn number(&self, field: usize) -> Option<f64> {
        self.0.get(field - 3)?.parse().ok()
    }

    fn cpu_seconds(&self) -> Option<f64> {
        Some((self.number(14)? + self.number(15)?) / TICKS)
    }

    fn start_seconds(&self) -> Option<f64> {
        let system = fs::read_to_string("/proc/stat").ok()?;
        let boot = system.lines().find_map(|line| line.strip_prefix("btime "))?;
        Some(boot.trim().parse::<f64>().ok()? + self.number(22)? / TICKS)
    }
}

fn resident_bytes() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: f64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kibibytes * 1024.0)
}

fn open_files() -> Option<f64> {
    // One of them is the folder that is read.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    u32::try_from(open).ok().map(f64::from)
}

/// The soft limit of that name; none where there is none.
fn limit(limits: &str, name: &str) -> Option<f64> {
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_whitespace().next()?.parse().ok()
}
