#![doc = include_str!("../README.md")]
#![expect(clippy::missing_errors_doc, reason = "most error types say what can fail")]

mod catalog;
mod replica;

pub use replica::{OpenCopy, ReplicaCatalog};
