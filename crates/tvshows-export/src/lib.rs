#![doc = include_str!("../README.md")]
#![expect(clippy::missing_errors_doc, reason = "most error types say what can fail")]

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
pub use dialect::Dialect;
pub use file_ending::UnknownEndingError;
pub use format::Format;
pub use writer::WriterOptions;
