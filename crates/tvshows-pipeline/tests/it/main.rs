//! Whole runs: the real client and store, the simulator or a mock server as TVmaze.

mod disagreement;
mod faults;
mod full_run;
mod queue;
mod world;
