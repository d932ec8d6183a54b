//! End to end: the real binary, a real Redis, the simulator; and the rules of the workspace.

mod abuse;
mod architecture;
mod catalogue;
mod commands;
mod content;
mod dashboard;
#[cfg(unix)]
mod documents;
mod events;
mod exports;
mod http;
mod live;
mod logs;
mod metrics;
mod openapi;
mod redis;
#[path = "../../crates/tvshows-progress/tests/it/server.rs"]
mod redis_server;
mod resume;
mod schedule;
mod secrets;
mod security;
mod serving;
mod sharing;
mod sql;
mod storage;
mod support;
mod tables;
mod traces;
mod update;
mod upstream;
mod verify;
