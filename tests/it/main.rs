//! End-to-end tests of the `tvshows` binary, and the rules of the workspace.

mod cli;
mod http;
mod packages;
mod policy;
mod replicas;
mod runs;
