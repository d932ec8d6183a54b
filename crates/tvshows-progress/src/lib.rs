#![doc = include_str!("../README.md")]

mod hash_fields;
mod in_process;
mod redis;
mod redis_lease;

pub use in_process::InProcessTracker;
pub use redis::{ENDED_RUN_TTL, LIVE_RUN_TTL, RedisTracker};
pub use redis_lease::RedisLease;
