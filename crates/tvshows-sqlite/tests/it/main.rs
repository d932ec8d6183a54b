//! The store in database files.

mod conformance;
mod exports;
mod files;
mod publishing;
mod schemas;
