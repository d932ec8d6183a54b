//! Runs of updates: their life, their upstream, and the processes, disks and servers that fail under them.

mod disk_failures;
mod multi_process;
mod redis;
mod resume;
mod run_lifecycle;
mod schedule;
mod traces;
mod upstream_faults;
