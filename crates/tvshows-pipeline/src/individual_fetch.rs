//! Shows, their details, and casts that are fetched one at a time.

use std::collections::{BTreeMap, BTreeSet};

use futures::{StreamExt, TryStreamExt, stream};
use tvmaze_client::{Client, embed};
use tvshows_core::{DetailsVersion, RunEvent, Show, ShowDetails, ShowId, StagedBatch};

use crate::clock::now_secs;
use crate::convert::{
    TvmazeCastMember, TvmazeDetails, TvmazeShow, recover_cast, recover_details, recover_show,
    saturating_u32, tvmaze_id,
};
use crate::error::RunError;
use crate::run_context::RunContext;
use crate::tasks::{in_batches, in_own_task};
use crate::updates::UpdatesMap;

/// What to fetch of a show, in one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fetch {
    Show,
    /// Its episodes and its cast. The show itself is not staged.
    Details,
    ShowAndDetails,
}

/// What a response has.
struct Fetched {
    show: TvmazeShow,
    details: Option<ShowDetails>,
}

/// What was fetched individually.
#[derive(Default)]
pub(crate) struct Staged {
    pub(crate) details: BTreeMap<ShowId, DetailsVersion>,
    /// The shows with a 404 response or a redirect to another show, into which they were merged.
    pub(crate) deleted: BTreeSet<ShowId>,
}

/// Fetches shows individually. What exists is staged; the other shows are deleted. If the details
/// of a show are missing although `updates` has it, it is fetched without them.
pub(crate) async fn stage_shows(
    context: &RunContext<'_>,
    shows: BTreeSet<ShowId>,
    fetch: Fetch,
    updates: Option<&UpdatesMap>,
) -> Result<Staged, RunError> {
    let requests = shows.into_iter().map(|id| async move {
        context.check_request_limit()?;
        Ok::<_, RunError>((id, fetch_show(context, id, fetch, updates).await?))
    });
    let concurrency = context.client.concurrency();
    let responses = stream::iter(requests).buffer_unordered(concurrency).boxed();
    let (receiving, mut batches) = in_batches(responses, concurrency);
    let staged_event = |shows: usize| match fetch {
        Fetch::Show => RunEvent::RefetchesStaged(saturating_u32(shows)),
        Fetch::Details | Fetch::ShowAndDetails => RunEvent::DetailsStaged(saturating_u32(shows)),
    };
    let mut staged = Staged::default();
    let staging = async {
        while let Some(responses) = batches.next().await? {
            let (mut shows, mut details, mut deleted) = (Vec::new(), Vec::new(), Vec::new());
            let mut present = 0;
            for (id, response) in responses {
                let Some(fetched) = response else {
                    deleted.push(id);
                    continue;
                };
                present += 1;
                shows.push(fetched.show);
                details.extend(fetched.details);
            }
            if present > 0 {
                let mut shows = context.accept_shows(shows);
                if fetch == Fetch::Details {
                    shows.clear();
                }
                let versions = details.iter().map(|details| (details.show_id, details.version()));
                staged.details.extend(versions);
                let batch = StagedBatch::Shows { shows, details, at: now_secs() };
                context.checkpoint(staged_event(present), Some(batch)).await?;
            }
            if !deleted.is_empty() {
                tracing::debug!(shows = ?deleted, "shows no longer exist at TVmaze");
                staged.deleted.extend(&deleted);
                let event = staged_event(deleted.len());
                context.checkpoint(event, Some(StagedBatch::Deletions(deleted))).await?;
            }
        }
        Ok(())
    };
    futures::future::try_join(receiving, staging).await?;
    Ok(staged)
}

/// Returns `None` if the show does not exist.
async fn fetch_show(
    context: &RunContext<'_>,
    id: ShowId,
    fetch: Fetch,
    updates: Option<&UpdatesMap>,
) -> Result<Option<Fetched>, RunError> {
    let client = context.client;
    let request = client.show(tvmaze_id(id));
    let fetched = if fetch == Fetch::Show {
        fetch_plain(client, id).await?.map(|show| (show, None))
    } else {
        let request =
            request.embed((embed::Episodes, embed::Cast)).decode_as::<Option<TvmazeDetails>>();
        let request = request.recover_with(recover_details).reject_moved();
        let details = in_own_task(request.into_future()).await;
        let details = details.map_err(|source| RunError::Details { show: id.0, source })?;
        // A mirror of TVmaze has shows without details. TVmaze's map may still have a show that vanished.
        match details {
            Some(TvmazeDetails { show, embedded }) => Some((show, Some(embedded))),
            None if updates.is_some_and(|updates| !updates.contains_key(&id)) => None,
            None => {
                context.check_request_limit()?;
                match fetch_plain(client, id).await? {
                    Some(_) if fetch == Fetch::Details => {
                        return Err(RunError::NoDetails { show: id.0 });
                    }
                    // A changed show may no longer match, and needs no details then.
                    show => show.map(|show| (show, None)),
                }
            }
        }
    };
    let Some((show, embedded)) = fetched else { return Ok(None) };
    if show.show.id != id {
        return Err(RunError::WrongShow { show: id.0, received: show.show.id.0 });
    }
    let details = embedded.map(|embedded| embedded.of_show(&show.show));
    Ok(Some(Fetched { show, details }))
}

/// Fetches a show without its details. Returns `None` if it does not exist.
async fn fetch_plain(client: &Client, id: ShowId) -> Result<Option<TvmazeShow>, RunError> {
    let request = client.show(tvmaze_id(id)).decode_as::<Option<TvmazeShow>>();
    let request = request.recover_with(recover_show).reject_moved();
    let show = in_own_task(request.into_future()).await;
    show.map_err(|source| RunError::Show { show: id.0, source })
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
