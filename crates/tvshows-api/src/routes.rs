//! One file for each resource.

pub(crate) mod docs;
pub(crate) mod events;
pub(crate) mod export;
pub(crate) mod health;
pub(crate) mod lookup;
pub(crate) mod metrics;
pub(crate) mod pipeline;
pub(crate) mod plan;
pub(crate) mod schedule;
pub(crate) mod shows;
pub(crate) mod tvmaze;
