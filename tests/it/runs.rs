//! Updates: their lifecycle, their upstream, and the failure of processes, disks and servers.

mod details;
mod disk_failures;
mod mirror_of_mirror;
mod multi_process;
mod redis;
mod replaced_database;
mod resume;
mod run_lifecycle;
mod schedule;
mod traces;
mod upstream_faults;
mod webhook;
