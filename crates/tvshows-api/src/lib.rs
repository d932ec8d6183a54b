#![doc = include_str!("../README.md")]

mod cursor;
mod etag;
mod openapi;
mod page;
mod problem;
mod query;
mod routes;
mod server;
mod shows_query;

pub use openapi::openapi;
pub use server::{Services, routes, server};
