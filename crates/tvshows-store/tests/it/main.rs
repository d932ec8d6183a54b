//! The store on real files.

mod conformance;
mod files;
mod publishing;
