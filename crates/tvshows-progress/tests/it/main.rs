//! Both trackers, the Redis one on a real server of the tests' own.

mod in_process;
mod redis;
mod server;
