//! End to end: the real binary, a real Redis, the simulator; and the rules of the workspace.

mod architecture;
mod interrupted;
mod live;
mod openapi;
mod redis;
mod serving;
mod support;
mod update;
