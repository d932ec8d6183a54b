use tvmaze_client::Client;
use tvshows_core::{Catalog, ShowId};

use crate::error::RunError;
use crate::incremental_plan::is_outdated;
use crate::updates::fetch_updates;

/// How the published shows differ from TVmaze's updates map.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DriftReport {
    /// How many shows are published.
    pub published: usize,
    /// How many shows TVmaze has.
    pub upstream: usize,
    /// Shows that TVmaze has and that are not published.
    pub missing: Vec<ShowId>,
    /// Published shows that have changed at TVmaze since.
    pub stale: Vec<ShowId>,
    /// Published shows that TVmaze no longer has.
    pub removed: Vec<ShowId>,
}

impl DriftReport {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.missing.is_empty() && self.stale.is_empty() && self.removed.is_empty()
    }
}

/// Compares the published shows with TVmaze's updates map. Sends one request and writes nothing.
///
/// The map can be an hour old, and does not cover ratings and weights, which change without a new `updated`.
pub async fn verify(client: &Client, catalog: &dyn Catalog) -> Result<DriftReport, RunError> {
    let updates = fetch_updates(client).await?;
    let manifest = catalog.manifest().await?;
    let shows = &manifest.shows;
    let mut report = DriftReport {
        published: shows.len(),
        upstream: updates.len(),
        removed: shows.keys().filter(|id| !updates.contains_key(id)).copied().collect(),
        ..DriftReport::default()
    };
    for (id, updated) in updates {
        if !shows.contains_key(&id) {
            report.missing.push(id);
        } else if is_outdated(&manifest, id, updated) {
            report.stale.push(id);
        }
    }
    Ok(report)
}
