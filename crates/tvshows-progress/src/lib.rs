#![doc = include_str!("../README.md")]

mod fields;
mod in_process;
mod redis;

pub use in_process::InProcessTracker;
pub use redis::{EXPIRY_OF_ENDED_RUNS, EXPIRY_OF_LIVE_RUNS, RedisTracker};
