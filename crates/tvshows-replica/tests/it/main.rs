//! The catalog of a replica, on real files.

mod conformance;
mod follow;
mod source;
mod store;
