//! TVmaze's updates map, `/updates/shows`.

use std::collections::BTreeMap;

use tvmaze_client::{Client, PageIndex};
use tvshows_core::ShowId;

use crate::convert::tvmaze_id;
use crate::error::RunError;

/// When each existing show last changed, as Unix time.
pub(crate) type UpdatesMap = BTreeMap<ShowId, i64>;

/// Fetches the map.
///
/// # Errors
///
/// [`RunError::Unreachable`] or [`RunError::UpdatesMap`].
pub(crate) async fn fetch_updates(client: &Client) -> Result<UpdatesMap, RunError> {
    match client.show_updates(None).decode_as::<UpdatesMap>().await {
        Err(source) if source.is_unreachable() => Err(RunError::Unreachable { source }),
        updates => updates.map_err(|source| RunError::UpdatesMap { source }),
    }
}

/// Returns the index page a show belongs on.
pub(crate) fn page_of(id: ShowId) -> u32 {
    PageIndex::containing(tvmaze_id(id)).0
}
