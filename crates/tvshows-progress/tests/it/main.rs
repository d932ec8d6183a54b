//! Both trackers; each test of the Redis tracker starts its own server.

mod in_process;
mod redis;
