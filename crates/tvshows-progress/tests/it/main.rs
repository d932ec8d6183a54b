//! Both trackers, the one in Redis with a real server per test.

mod in_process;
mod redis;
