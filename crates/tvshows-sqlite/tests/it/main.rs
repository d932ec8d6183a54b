//! The store in real files.

mod conformance;
mod copies;
mod details;
mod exports;
mod files;
mod filters;
mod publishing;
mod read_only;
mod replaced_files;
mod schemas;
mod views;
