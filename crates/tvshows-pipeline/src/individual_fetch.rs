//! Shows and casts that are fetched one at a time.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use tvshows_core::{RunEvent, Show, ShowDetails, ShowId, StagedBatch};

use crate::clock::now_secs;
use crate::convert::{
    TvmazeCastMember, TvmazeShow, recover_cast, recover_show, saturating_u32, tvmaze_id,
};
use crate::error::RunError;
use crate::run_context::RunContext;
use crate::tasks::{in_batches, in_own_task};

/// Fetches shows individually. Those that exist are staged; those with a 404 response or a redirect to another
/// show, into which they were merged, are deleted. Returns the deleted ones.
pub(crate) async fn stage_shows(
    context: &RunContext<'_>,
    shows: BTreeSet<ShowId>,
) -> Result<BTreeSet<ShowId>, RunError> {
    let client = context.client;
    let requests = shows.into_iter().map(|id| async move {
        context.check_request_limit()?;
        let request = client.show(tvmaze_id(id)).decode_as::<Option<TvmazeShow>>();
        let request = request.recover_with(recover_show).reject_moved();
        let show = in_own_task(request.into_future()).await;
        match show.map_err(|source| RunError::Show { show: id.0, source })? {
            Some(TvmazeShow { show, .. }) if show.id != id => {
                Err(RunError::WrongShow { show: id.0, received: show.id.0 })
            }
            show => Ok((id, show)),
        }
    });
    let concurrency = client.concurrency();
    let responses = stream::iter(requests).buffer_unordered(concurrency).boxed();
    let (receiving, mut batches) = in_batches(responses, concurrency);
    let mut all_deleted = BTreeSet::new();
    let staging = async {
        while let Some(responses) = batches.next().await? {
            let (mut shows, mut deleted) = (Vec::new(), Vec::new());
            for (id, response) in responses {
                match response {
                    Some(show) => shows.push(show),
                    None => deleted.push(id),
                }
            }
            if !shows.is_empty() {
                let staged = RunEvent::RefetchesStaged(saturating_u32(shows.len()));
                let shows = context.accept_shows(shows);
                let batch = StagedBatch::Shows { shows, details: Vec::new(), at: now_secs() };
                context.checkpoint(staged, Some(batch)).await?;
            }
            if !deleted.is_empty() {
                tracing::debug!(shows = ?deleted, "shows no longer exist at TVmaze");
                all_deleted.extend(&deleted);
                let staged = RunEvent::RefetchesStaged(saturating_u32(deleted.len()));
                context.checkpoint(staged, Some(StagedBatch::Deletions(deleted))).await?;
            }
        }
        Ok(())
    };
    futures::future::try_join(receiving, staging).await?;
    Ok(all_deleted)
}

/// Fetches and stages the cast of each show. Returns the shows without one, which no longer exist, with their
/// errors: an existing show has a cast, even if it is empty.
pub(crate) async fn stage_casts(
    context: &RunContext<'_>,
    shows: Vec<Show>,
) -> Result<BTreeMap<ShowId, RunError>, RunError> {
    let client = context.client;
    let requests = shows.into_iter().map(|show| async move {
        context.check_request_limit()?;
        let request = client.cast(tvmaze_id(show.id)).decode_as::<Vec<TvmazeCastMember>>();
        let request = request.recover_with(recover_cast).reject_moved();
        Ok::<_, RunError>((show, in_own_task(request.into_future()).await))
    });
    let mut responses = stream::iter(requests).buffer_unordered(client.concurrency()).boxed();
    let mut missing = BTreeMap::new();
    while let Some((show, response)) = responses.try_next().await? {
        let cast = match response {
            Ok(cast) => context.accept_cast(&show, cast),
            Err(source) => {
                let is_missing = source.is_not_found();
                let error = RunError::Cast { show: show.id.0, source };
                if !is_missing {
                    return Err(error);
                }
                missing.insert(show.id, error);
                continue;
            }
        };
        let details = ShowDetails { show_id: show.id, updated: show.updated, cast, episodes: None };
        let batch =
            StagedBatch::Shows { shows: Vec::new(), details: vec![details], at: now_secs() };
        context.checkpoint(RunEvent::CastStaged, Some(batch)).await?;
    }
    Ok(missing)
}
