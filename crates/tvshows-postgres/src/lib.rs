#![doc = include_str!("../README.md")]

mod cast_row;
mod changes;
mod connect_options;
mod database;
mod details;
mod details_row;
mod error;
mod lock;
mod matching;
mod migrations;
mod nul;
mod publish;
mod replicas;
mod runs;
mod session;
mod show_row;
mod staging;
mod store;

pub use lock::LOCK_TTL;
pub use migrations::Schema;
pub use store::PostgresStore;
