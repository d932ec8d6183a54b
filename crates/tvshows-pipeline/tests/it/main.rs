//! Whole runs: the real client and store, the simulator or a mock server as TVmaze.

#[path = "../../../../tests/it/content.rs"]
mod content;
mod disagreement;
mod faults;
mod full_run;
mod incremental;
mod moving;
mod queue;
mod resume;
#[path = "../../../../tests/it/tables.rs"]
mod tables;
mod world;
