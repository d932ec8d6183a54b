#![doc = include_str!("../README.md")]

mod body_cache;
mod config;
mod connection;
mod connection_fault;
mod dataset;
mod encoding;
mod episode_list;
mod error;
mod fault;
mod fault_injector;
mod handler;
mod payload;
mod rate_limit;
mod recording;
mod route;
mod schedule;
mod search_index;
mod shared;
mod simulator;
mod source;
mod synthetic;
mod token_bucket;

pub use config::SimConfig;
pub use dataset::Dataset;
pub use error::Error;
pub use fault::{Fault, FaultKind};
pub use rate_limit::RateLimit;
pub use simulator::Simulator;
