//! The catalog of a replica, on real files.

mod conformance;
mod differential;
mod follow;
mod postgres;
mod source;
mod store;
