//! Shows and casts that are fetched one by one.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use tvmaze_client::Client;
use tvshows_core::{RunEvent, Show, ShowId, ShowStore};

use crate::convert::{self, Received};
use crate::error::RunError;
use crate::monitor::{Monitor, this_second};
use crate::pipeline::count;

/// Fetches shows by themselves: what TVmaze has is staged, what it answers with 404 is gone.
pub(crate) async fn stage_shows(
    client: &Client,
    store: &dyn ShowStore,
    monitor: &Monitor,
    shows: BTreeSet<ShowId>,
) -> Result<(), RunError> {
    let fetches = shows.into_iter().map(|id| async move {
        let request = client.show(convert::tvmaze_id(id)).decode_as::<Option<Received>>();
        match request.await.map_err(|source| RunError::Show { show: id.0, source })? {
            Some(Received(show)) if show.id != id => {
                Err(RunError::WrongShow { show: id.0, answered: show.id.0 })
            }
            show => Ok((id, show)),
        }
    });
    let concurrency = client.concurrency();
    // Those that have come are staged together: nobody is asked while one is staged.
    let mut answers =
        stream::iter(fetches).buffer_unordered(concurrency).ready_chunks(concurrency).boxed();
    while let Some(answers) = answers.next().await {
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        for answer in answers {
            match answer? {
                (_, Some(Received(show))) => found.push(show),
                (id, None) => gone.push(id),
            }
        }
        if !found.is_empty() {
            let staged = RunEvent::RefetchesStaged(count(found.len()));
            store.stage_shows(found, this_second(), &monitor.after(staged.clone())).await?;
            monitor.record(staged);
        }
        if !gone.is_empty() {
            tracing::debug!(shows = ?gone, "known to the index, the map or the snapshot, and gone");
            let dropped = RunEvent::RefetchesStaged(count(gone.len()));
            store.drop_shows(gone, &monitor.after(dropped.clone())).await?;
            monitor.record(dropped);
        }
    }
    Ok(())
}

/// Fetches and stages the cast of each of `shows`.
pub(crate) async fn stage_casts(
    client: &Client,
    store: &dyn ShowStore,
    monitor: &Monitor,
    shows: &[Show],
) -> Result<(), RunError> {
    let fetches = shows.iter().map(|show| async move {
        let cast = client.cast(convert::tvmaze_id(show.id)).await;
        cast.map(|cast| (show, cast)).map_err(|source| RunError::Cast { show: show.id.0, source })
    });
    let mut answers = stream::iter(fetches).buffer_unordered(client.concurrency()).boxed();
    while let Some((show, cast)) = answers.try_next().await? {
        let cast = cast.into_iter().map(|member| convert::cast_member(show, member)).collect();
        let reached = monitor.after(RunEvent::CastStaged);
        store.stage_cast(show, cast, this_second(), &reached).await?;
        monitor.record(RunEvent::CastStaged);
    }
    Ok(())
}
