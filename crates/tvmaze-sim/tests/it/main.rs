//! The simulator as its clients see it.

mod casts;
mod faults;
mod lifecycle;
mod limits;
mod recorded;
mod server;
mod shapes;
mod support;
mod synthetic;
mod texts;
