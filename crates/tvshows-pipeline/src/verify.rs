use tvmaze_client::Client;
use tvshows_core::{ShowId, ShowStore};

use crate::changes;
use crate::error::RunError;
use crate::index::Updates;

/// How what is published differs from TVmaze's map of updates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Difference {
    /// How many shows are published.
    pub published: usize,
    /// How many shows TVmaze has.
    pub listed: usize,
    /// Shows that TVmaze has and that are not published.
    pub missing: Vec<ShowId>,
    /// Published shows that have changed at TVmaze since.
    pub stale: Vec<ShowId>,
    /// Published shows that TVmaze no longer has.
    pub gone: Vec<ShowId>,
}

impl Difference {
    /// Whether there is none.
    #[must_use]
    pub fn is_none(&self) -> bool {
        self.missing.is_empty() && self.stale.is_empty() && self.gone.is_empty()
    }
}

/// Compares what is published with TVmaze's map of updates: one request, and nothing is written.
///
/// The map may be an hour old. It says nothing of ratings and weights, which move without a change mark.
///
/// # Errors
///
/// The map cannot be had, or the store cannot be read.
pub async fn verify(client: &Client, store: &dyn ShowStore) -> Result<Difference, RunError> {
    let updates = client.show_updates(None).decode_as::<Updates>().await.map_err(|source| {
        if source.is_unreachable() {
            RunError::Unreachable { source }
        } else {
            RunError::Map { source }
        }
    })?;
    let published = store.published().await?;
    let mut difference = Difference {
        published: published.shows.len(),
        listed: updates.len(),
        gone: published.shows.keys().filter(|id| !updates.contains_key(id)).copied().collect(),
        ..Difference::default()
    };
    for (id, updated) in updates {
        if !published.shows.contains_key(&id) {
            difference.missing.push(id);
        } else if changes::is_older(&published, id, updated) {
            difference.stale.push(id);
        }
    }
    Ok(difference)
}
