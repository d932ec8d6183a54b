//! The store against a PostgreSQL server.

mod changes;
mod details;
mod faults;
mod lock;
mod pgbouncer;
mod queue;
mod schema;
mod support;
mod views;
