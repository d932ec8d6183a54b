use tvshows_core::{RunId, ShowId};

use crate::problem::Problem;

/// Parses a run id. Text that is not a valid id cannot be that of an existing run, so it is a 404 rather than a 422.
pub(crate) fn run_id(text: &str) -> Result<RunId, Problem> {
    text.parse().map_err(|_| Problem::RunNotFound(text.to_owned()))
}

pub(crate) fn show_id(text: &str) -> Result<ShowId, Problem> {
    let invalid = |_| Problem::Parameter { name: "id", reason: "must be a numeric show id".into() };
    text.parse().map(ShowId).map_err(invalid)
}
