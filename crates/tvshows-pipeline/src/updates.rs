//! TVmaze's updates map, `/updates/shows`.

use std::collections::BTreeMap;

use tvmaze_client::{Client, PageIndex};
use tvshows_core::ShowId;

use crate::convert::tvmaze_id;

/// When each existing show last changed, as Unix time.
pub(crate) type UpdatesMap = BTreeMap<ShowId, i64>;

pub(crate) async fn fetch_updates(client: &Client) -> Result<UpdatesMap, tvmaze_client::Error> {
    client.show_updates(None).decode_as::<UpdatesMap>().await
}

/// Returns the index page a show belongs on.
pub(crate) fn page_of(id: ShowId) -> u32 {
    PageIndex::containing(tvmaze_id(id)).0
}
