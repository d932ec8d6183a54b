#![doc = include_str!("../README.md")]

mod cast_row;
mod catalogue;
mod connection;
mod error;
mod export;
mod freshness;
mod health;
mod history;
mod lock;
mod migrations;
mod plain_text;
mod published;
mod readers;
mod search;
mod show_row;
mod snapshot;
mod sqlite;
mod staging;
mod stats;

pub use sqlite::SqliteStore;
