//! The store on database files.

mod conformance;
mod exports;
mod files;
mod publishing;
