//! Utilities for the integration tests of several crates.
//!
//! [`TestEnv`] is a temporary folder with a database and a mock TVmaze server; it starts the `tvshows` binary with
//! [`Service`] or as a command. [`ScriptedSimulator`], [`RedisServer`], [`PostgresServer`], [`PgBouncer`], [`Nginx`],
//! [`FaultProxy`], [`SkewedClock`], [`SmallDisk`], [`ReadOnlyFolder`], [`free_port`], [`eventually`] and the database dumps are
//! also useful alone. Everything panics on failure, and everything it starts ends when it is dropped.
//!
//! For dev-dependencies only.

#![expect(clippy::missing_panics_doc, reason = "a panic is how a test fails")]
#![expect(clippy::must_use_candidate, reason = "unused results are harmless in tests")]

mod db_dump;
mod disk;
mod env;
mod nginx;
mod pgbouncer;
mod port;
mod postgres;
mod process;
mod proxy;
mod redis;
mod service;
mod simulator;
mod skewed_clock;
mod wait;

pub use db_dump::{dump_content, dump_tables};
pub use disk::{ReadOnlyFolder, SmallDisk};
pub use env::TestEnv;
pub use nginx::Nginx;
pub use pgbouncer::PgBouncer;
pub use port::free_port;
pub use postgres::PostgresServer;
pub use process::{signal, terminate, tvshows};
pub use proxy::{CommitFault, Direction, FaultProxy};
pub use redis::RedisServer;
pub use service::{Service, json_body};
pub use simulator::{HANGING_PAGE, ScriptedSimulator, served_shows, ten_pages};
pub use skewed_clock::SkewedClock;
pub use wait::eventually;
