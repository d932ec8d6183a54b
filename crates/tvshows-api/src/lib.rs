#![doc = include_str!("../README.md")]

mod answers;
mod cursor;
mod download;
mod etag;
mod openapi;
mod origins;
mod page;
mod problem;
mod query;
mod routes;
mod server;
mod shows_query;

pub use openapi::openapi;
pub use origins::{Origins, WrongOrigin};
pub use server::{Services, server};
