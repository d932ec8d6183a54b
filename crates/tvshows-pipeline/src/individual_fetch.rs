//! Shows and casts that are fetched one at a time.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use tvshows_core::{RunEvent, Show, ShowId, StagedBatch};

use crate::clock::now_secs;
use crate::convert::{TvmazeShow, cast_member, saturating_u32, tvmaze_id};
use crate::error::RunError;
use crate::run_context::RunContext;

/// Fetches shows individually. Those that exist are staged; those with a 404 response are deleted.
pub(crate) async fn stage_shows(
    context: &RunContext<'_>,
    shows: BTreeSet<ShowId>,
) -> Result<(), RunError> {
    let client = context.client;
    let requests = shows.into_iter().map(|id| async move {
        let request = client.show(tvmaze_id(id)).decode_as::<Option<TvmazeShow>>();
        match request.await.map_err(|source| RunError::Show { show: id.0, source })? {
            Some(TvmazeShow(show)) if show.id != id => {
                Err(RunError::WrongShow { show: id.0, received: show.id.0 })
            }
            show => Ok((id, show)),
        }
    });
    let concurrency = client.concurrency();
    // All shows that have arrived are staged in one batch, because no request is sent while a batch is staged.
    let mut responses =
        stream::iter(requests).buffer_unordered(concurrency).ready_chunks(concurrency).boxed();
    while let Some(responses) = responses.next().await {
        let (mut shows, mut deleted) = (Vec::new(), Vec::new());
        for response in responses {
            match response? {
                (_, Some(TvmazeShow(show))) => shows.push(show),
                (id, None) => deleted.push(id),
            }
        }
        if !shows.is_empty() {
            let staged = RunEvent::RefetchesStaged(saturating_u32(shows.len()));
            let batch = StagedBatch::Shows { shows, at: now_secs() };
            context.checkpoint(staged, Some(batch)).await?;
        }
        if !deleted.is_empty() {
            tracing::debug!(shows = ?deleted, "shows no longer exist at TVmaze");
            let staged = RunEvent::RefetchesStaged(saturating_u32(deleted.len()));
            context.checkpoint(staged, Some(StagedBatch::Deletions(deleted))).await?;
        }
    }
    Ok(())
}

/// Fetches and stages the cast of each show.
pub(crate) async fn stage_casts(
    context: &RunContext<'_>,
    shows: Vec<Show>,
) -> Result<(), RunError> {
    let client = context.client;
    let requests = shows.into_iter().map(|show| async move {
        let cast = client.cast(tvmaze_id(show.id)).await;
        let cast = cast.map_err(|source| RunError::Cast { show: show.id.0, source })?;
        Ok::<_, RunError>((show, cast))
    });
    let mut responses = stream::iter(requests).buffer_unordered(client.concurrency()).boxed();
    while let Some((show, cast)) = responses.try_next().await? {
        let cast = cast.into_iter().map(|member| cast_member(&show, member)).collect();
        let batch = StagedBatch::Cast { show: Box::new(show), cast, at: now_secs() };
        context.checkpoint(RunEvent::CastStaged, Some(batch)).await?;
    }
    Ok(())
}
