#![doc = include_str!("../README.md")]

mod compression;
mod csv;
mod date;
mod dialect;
mod file_ending;
mod format;
mod ndjson;
mod parquet;
#[cfg(test)]
mod shared_buffer;
mod writer;

pub use compression::Compression;
pub use date::is_date;
pub use dialect::{Dialect, ParseDialectError};
pub use file_ending::UnknownEndingError;
pub use format::{Format, ParseFormatError};
pub use writer::WriterOptions;
