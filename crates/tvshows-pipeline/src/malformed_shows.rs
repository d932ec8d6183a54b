use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

use tvshows_core::ShowId;

/// If TVmaze changes the type of a field, every show is malformed, and the log needs not name all of them.
const MAX_WARNINGS: usize = 100;

/// The malformed shows of one attempt at a run.
#[derive(Debug, Default)]
pub(crate) struct MalformedShows {
    reported: Mutex<Reported>,
}

#[derive(Debug, Default)]
struct Reported {
    shows: BTreeSet<ShowId>,
    warnings: usize,
}

impl MalformedShows {
    /// Logs the malformed values of a show or its cast. Returns whether the show is the first time malformed.
    pub(crate) fn report(&self, id: ShowId, name: &str, paths: &[String]) -> bool {
        let mut reported = self.reported.lock().unwrap_or_else(PoisonError::into_inner);
        let fields = paths.join(", ");
        if reported.warnings < MAX_WARNINGS {
            reported.warnings += 1;
            tracing::warn!(
                show.id = id.0,
                show.name = name,
                fields,
                "a show has unexpected values, which are null in their columns"
            );
            if reported.warnings == MAX_WARNINGS {
                tracing::warn!("further unexpected values are logged at debug level");
            }
        } else {
            tracing::debug!(show.id = id.0, show.name = name, fields, "unexpected values");
        }
        reported.shows.insert(id)
    }
}
