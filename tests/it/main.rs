//! End-to-end tests of the `tvshows` binary, and the rules of the workspace.

mod cli;
mod http;
mod page;
mod policy;
mod runs;

/// The names that `page.rs` uses.
mod support {
    pub(crate) use tvshows_testkit::{Service, TestEnv as World};
}
