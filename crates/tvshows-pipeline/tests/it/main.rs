//! Whole runs: the real client and store, the simulator or a mock server as TVmaze.

mod changing_upstream;
mod details;
mod faults;
mod faulty_store;
mod full_run;
mod harness;
mod implausible_upstream;
mod incremental;
mod index_map_conflicts;
mod malformed_shows;
mod merged_shows;
mod queue;
mod resume;
mod storage_outage;
