#![doc = include_str!("../README.md")]

mod etag;
mod openapi;
mod page;
mod problem;
mod query;
mod routes;
mod server;

pub use openapi::openapi;
pub use server::{Services, routes, server};
