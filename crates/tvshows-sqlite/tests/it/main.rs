//! The store on real files.

mod conformance;
mod exports;
mod files;
mod publishing;
#[path = "../../../../tests/it/tables.rs"]
mod tables;
