//! Rules for the whole repository.

mod architecture;
#[cfg(unix)]
mod docs;
mod names;
mod openapi;
mod secrets;
mod security;
mod sources;
mod sql;
