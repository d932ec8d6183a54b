#![doc = include_str!("../README.md")]

mod cast_row;
mod connection;
mod error;
mod history;
mod lock;
mod migrations;
mod published;
mod show_row;
mod sqlite;
mod staging;

pub use sqlite::SqliteStore;
