#![doc = include_str!("../README.md")]

mod answer;
mod behaviour;
mod bucket;
mod catalogue;
mod connection;
mod encoding;
mod error;
mod fault;
mod kept;
mod limit;
mod recorded;
mod route;
mod shape;
mod simulator;
mod state;
mod synthetic;

pub use behaviour::Behaviour;
pub use catalogue::Catalogue;
pub use error::Error;
pub use fault::{Fault, FaultKind};
pub use limit::RateLimit;
pub use simulator::Simulator;
