//! The index pages on which something changed or is due.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt, stream};
use tvmaze_client::{Client, PageIndex, SHOWS_PER_PAGE};
use tvshows_core::{PublishedManifest, RunEvent, Show, ShowId, ShowStore};

use crate::changes::{is_older, page_of};
use crate::convert::Received;
use crate::error::RunError;
use crate::index::Updates;
use crate::monitor::{Monitor, this_second};
use crate::pipeline::count;

/// What a page is compared with.
pub(crate) struct Known<'a> {
    pub(crate) published: &'a PublishedManifest,
    pub(crate) updates: &'a Updates,
}

/// Fetches `pages` and stages what is news on them. Gives the shows that changed and that their page,
/// which may be a day old, does not have as they are now.
pub(crate) async fn stage_pages(
    client: &Client,
    store: &dyn ShowStore,
    monitor: &Monitor,
    known: &Known<'_>,
    pages: Vec<u32>,
) -> Result<BTreeSet<ShowId>, RunError> {
    let fetches = pages.into_iter().map(|page| {
        let answer = client.show_page(PageIndex(page)).decode_as::<Option<Vec<Received>>>().send();
        async move {
            let shows = answer.await.map_err(|source| RunError::Page { page, source })?;
            monitor.answered().notify_one();
            Ok::<_, RunError>((page, shows))
        }
    });
    let mut answers = stream::iter(fetches).buffer_unordered(client.concurrency()).boxed();
    let mut behind = BTreeSet::new();
    while let Some((page, shows)) = answers.try_next().await? {
        let shows = known.shows_of(page, shows)?;
        let (news, older) = known.compare(page, shows);
        behind.extend(older);
        let shows = count(news.len());
        let staged = RunEvent::PagesStaged { pages: 1, shows };
        let reached = monitor.after(staged.clone());
        store.stage_pages(vec![(page, news)], this_second(), &reached).await?;
        monitor.record(staged);
    }
    Ok(behind)
}

impl Known<'_> {
    fn last(&self) -> Option<ShowId> {
        self.updates.last_key_value().map(|(id, _)| *id)
    }

    /// The shows of a page; of the last one, none if it is so new that the cache has a 404 in its place.
    fn shows_of(&self, page: u32, shows: Option<Vec<Received>>) -> Result<Vec<Show>, RunError> {
        let later = self.last().map_or(0, page_of);
        match shows {
            None if page < later => Err(RunError::MissingPage { page, later }),
            shows => Ok(shows.into_iter().flatten().map(|Received(show)| show).collect()),
        }
    }

    /// The shows of a page that are at least as new as all that is known of them, and the ids of the
    /// changed ones that the page does not have, or not as new.
    fn compare(&self, page: u32, mut shows: Vec<Show>) -> (Vec<Show>, BTreeSet<ShowId>) {
        shows.retain(|show| self.is_news(show));
        let have: BTreeSet<ShowId> = shows.iter().map(|show| show.id).collect();
        let (first, end) =
            (page * SHOWS_PER_PAGE, page.saturating_add(1).saturating_mul(SHOWS_PER_PAGE));
        let on_page = self.updates.range(ShowId(first)..ShowId(end));
        let behind = on_page
            .filter(|(id, updated)| {
                is_older(self.published, **id, **updated) && !have.contains(*id)
            })
            .map(|(id, _)| *id);
        (shows, behind.collect())
    }

    /// Whether a show of a page is to be staged: as new as map and snapshot say, and not gone.
    fn is_news(&self, show: &Show) -> bool {
        let updated = show.updated.unwrap_or_default();
        let published = self.published.shows.get(&show.id).and_then(|version| version.updated);
        let in_map = match self.updates.get(&show.id) {
            Some(known) => updated >= *known,
            // Beyond the last of the map it is newer than the map.
            None => Some(show.id) > self.last(),
        };
        in_map && Some(updated) >= published
    }
}
