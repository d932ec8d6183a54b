//! Generated shows, casts and episodes: each is a pure function of the seed and its id.

use bytes::Bytes;
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
mod wordlists;

use rng::{Stream, rng_for};

use crate::source::Source;

/// TVmaze puts the ids 250n to 250n + 249 on page n.
const IDS_PER_PAGE: u32 = 250;

/// The share of ids that TVmaze has deleted, in percent.
const DELETED_PERCENT: u32 = 6;

#[derive(Debug)]
pub(crate) struct Synthetic {
    seed: u64,
    last_id: u32,
}

impl Synthetic {
    pub(crate) fn new(shows: u32, seed: u64) -> Self {
        let mut remaining = shows;
        let mut last_id = 0;
        while remaining > 0 && last_id < u32::MAX {
            last_id += 1;
            remaining -= u32::from(!is_deleted(seed, last_id));
        }
        Self { seed, last_id }
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
        self.exists(id).then(|| json(&show::show(self.seed, id)))
    }

    fn cast(&self, id: u32) -> Option<Bytes> {
        self.exists(id).then(|| json(&cast::cast(self.seed, id)))
    }

    fn episodes(&self, id: u32) -> Option<Bytes> {
        self.exists(id).then(|| json(&episodes::episodes(self.seed, id)))
    }

    fn update_times(&self) -> Vec<(u32, u64)> {
        (1..=self.last_id)
            .filter(|&id| self.exists(id))
            .map(|id| (id, timestamps::show_updated(self.seed, id)))
            .collect()
    }
}

fn is_deleted(seed: u64, id: u32) -> bool {
    rng_for(seed, Stream::Deleted, id).u32(..100) < DELETED_PERCENT
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("payloads have only text keys").into()
}
