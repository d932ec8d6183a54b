//! Generated shows, casts and episodes: each is a pure function of the seed and its id.

use std::collections::{BTreeMap, HashSet};
use std::sync::OnceLock;

use bytes::Bytes;
use jiff::civil::Date;
use serde::Serialize;

mod cast;
mod countries;
mod episodes;
mod genres;
mod names;
mod networks;
mod person;
mod rng;
mod show;
mod summary;
mod timestamps;
mod weekly;
mod wordlists;

use rng::{Stream, rng_for};
use weekly::Weekly;

use crate::payload::{Episode, Show};
use crate::source::Source;

/// TVmaze puts the ids 250n to 250n + 249 on page n.
const IDS_PER_PAGE: u32 = 250;

/// The share of ids that TVmaze has deleted, in percent.
const DELETED_PERCENT: u32 = 6;

#[derive(Debug)]
pub(crate) struct Synthetic {
    seed: u64,
    last_id: u32,
    today: Date,
    /// How often each show has changed.
    change_counts: BTreeMap<u32, u32>,
    /// The linked episodes whose id an earlier link has, with their shows.
    duplicate_links: OnceLock<HashSet<(u32, u32)>>,
}

impl Synthetic {
    pub(crate) fn new(shows: u32, seed: u64, changed: &[u32]) -> Self {
        let mut remaining = shows;
        let mut last_id = 0;
        while remaining > 0 && last_id < u32::MAX {
            last_id += 1;
            remaining -= u32::from(!is_deleted(seed, last_id));
        }
        let mut change_counts = BTreeMap::new();
        for &id in changed {
            *change_counts.entry(id).or_default() += 1;
        }
        let today = episodes::END;
        Self { seed, last_id, today, change_counts, duplicate_links: OnceLock::new() }
    }

    /// The dataset on a day. It differs only after the end of the fixed one.
    pub(crate) fn on(self, day: Date) -> Self {
        Self { today: day.max(episodes::END), ..self }
    }

    fn changes(&self, id: u32) -> u32 {
        self.change_counts.get(&id).copied().unwrap_or_default()
    }

    fn updated(&self, id: u32) -> u64 {
        if self.today == episodes::END && self.changes(id) == 0 {
            return timestamps::show_updated(self.seed, id);
        }
        self.current_show(id).updated
    }

    /// The show as it is today.
    fn current_show(&self, id: u32) -> Show {
        let mut show = show::show(self.seed, id);
        if let Some(weekly) = Weekly::new(&show, self.today) {
            weekly.update(self.seed, &mut show);
        }
        if let changes @ 1.. = self.changes(id) {
            show.updated = timestamps::UPDATED.end + u64::from(changes) * 24 * 60 * 60;
        }
        show
    }

    fn episode_list(&self, id: u32) -> Vec<Episode> {
        let duplicates = self.duplicate_links.get_or_init(|| self.find_duplicate_links());
        let is_taken = |episode| duplicates.contains(&(id, episode));
        let show = show::show(self.seed, id);
        let weekly = Weekly::new(&show, self.today);
        episodes::episodes(self.seed, &show, self.changes(id), weekly.as_ref(), is_taken)
    }

    /// The links are random, so that a few lead to the same id.
    fn find_duplicate_links(&self) -> HashSet<(u32, u32)> {
        let (mut seen, mut duplicates) = (HashSet::new(), HashSet::new());
        for id in (1..=self.last_id).filter(|&id| self.exists(id)) {
            let links = show::show(self.seed, id).links;
            let linked = [links.previousepisode, links.nextepisode].into_iter().flatten();
            for episode in linked.filter_map(|link| link.episode_id()) {
                if !seen.insert(episode) {
                    duplicates.insert((id, episode));
                }
            }
        }
        duplicates
    }

    fn exists(&self, id: u32) -> bool {
        (1..=self.last_id).contains(&id) && !is_deleted(self.seed, id)
    }
}

impl Source for Synthetic {
    fn page_count(&self) -> u32 {
        if self.last_id == 0 { 0 } else { self.last_id / IDS_PER_PAGE + 1 }
    }

    fn page(&self, n: u32) -> Bytes {
        let first = n.saturating_mul(IDS_PER_PAGE);
        let ids = first..=first.saturating_add(IDS_PER_PAGE - 1).min(self.last_id);
        let mut page = Vec::with_capacity(400 * 1024);
        page.push(b'[');
        for show in ids.filter_map(|id| self.show(id)) {
            if page.len() > 1 {
                page.push(b',');
            }
            page.extend_from_slice(&show);
        }
        page.push(b']');
        // Pages are cached: a boxed slice has no spare capacity.
        page.into_boxed_slice().into()
    }

    fn show(&self, id: u32) -> Option<Bytes> {
        self.exists(id).then(|| json(&self.current_show(id)))
    }

    fn cast(&self, id: u32) -> Option<Bytes> {
        self.exists(id).then(|| json(&cast::cast(self.seed, id, self.changes(id))))
    }

    fn episodes(&self, id: u32) -> Option<Bytes> {
        self.exists(id).then(|| json(&self.episode_list(id)))
    }

    fn seasons(&self, id: u32) -> Option<Bytes> {
        self.exists(id)
            .then(|| json(&episodes::seasons(&show::show(self.seed, id), &self.episode_list(id))))
    }

    fn update_times(&self) -> Vec<(u32, u64)> {
        (1..=self.last_id).filter(|&id| self.exists(id)).map(|id| (id, self.updated(id))).collect()
    }

    fn today(&self) -> Date {
        self.today
    }
}

fn is_deleted(seed: u64, id: u32) -> bool {
    rng_for(seed, Stream::Deleted, id).u32(..100) < DELETED_PERCENT
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("payloads have only text keys").into()
}
