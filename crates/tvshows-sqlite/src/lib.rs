#![doc = include_str!("../README.md")]

mod cast_row;
mod columns;
mod copy;
mod copy_file;
mod database;
mod error;
mod export;
mod facet_index;
mod file_lock;
mod health;
mod interrupted;
mod migrations;
mod open_files;
mod orders;
mod pool;
mod publish;
mod read;
mod read_only;
mod runs;
mod search;
mod session;
mod show_query;
mod show_row;
mod snapshot;
mod snapshot_cache;
mod sql_functions;
mod staging;
mod stats;
mod store;
mod text_index;
mod tokenizer;
mod word_index;

pub use error::UPDATE_FREE_MB;
pub use store::SqliteStore;
