//! The store against a PostgreSQL server.

mod changes;
mod faults;
mod lock;
mod queue;
mod schema;
mod support;
mod views;
