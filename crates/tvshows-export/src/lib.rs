#![doc = include_str!("../README.md")]

mod csv;
mod format;
mod ndjson;
mod parquet;

pub use format::{Format, UnknownFormat};
