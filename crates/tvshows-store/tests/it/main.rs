//! The store on real files.

mod conformance;
mod files;
mod publishing;
#[path = "../../../../tests/it/tables.rs"]
mod tables;
