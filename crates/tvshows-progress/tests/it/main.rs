//! Both trackers. Each test of the one in Redis starts a server.

mod in_process;
mod redis;
