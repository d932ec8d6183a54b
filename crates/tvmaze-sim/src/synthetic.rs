//! Invented shows: each a pure function of the seed and its id.

use bytes::Bytes;
use serde::Serialize;

use crate::catalogue::IDS_A_PAGE;

mod cast;
mod chance;
mod channels;
mod genres;
mod people;
mod phrases;
mod show;
mod text;
mod words;

use chance::{Purpose, random};

/// The share of ids that TVmaze has deleted, in per cent.
const HOLES: u32 = 6;

/// 2020-01-01 and 2026-07-01: the time that shows and persons were last updated in.
const UPDATED: std::ops::Range<u64> = 1_577_836_800..1_782_864_000;

#[derive(Debug)]
pub(crate) struct Synthetic {
    seed: u64,
    last_id: u32,
}

impl Synthetic {
    pub(crate) fn new(shows: u32, seed: u64) -> Self {
        let mut left = shows;
        let mut last_id = 0;
        while left > 0 && last_id < u32::MAX {
            last_id += 1;
            left -= u32::from(!is_hole(seed, last_id));
        }
        Self { seed, last_id }
    }

    pub(crate) fn last_id(&self) -> Option<u32> {
        (self.last_id > 0).then_some(self.last_id)
    }

    pub(crate) fn page(&self, n: u32) -> Bytes {
        let first = n.saturating_mul(IDS_A_PAGE);
        let ids = first..=first.saturating_add(IDS_A_PAGE - 1).min(self.last_id);
        let mut page = Vec::with_capacity(400 * 1024);
        page.push(b'[');
        for show in ids.filter_map(|id| self.show(id)) {
            if page.len() > 1 {
                page.push(b',');
            }
            page.extend_from_slice(&show);
        }
        page.push(b']');
        // A page is kept, so it must not hold on to spare capacity.
        page.into_boxed_slice().into()
    }

    pub(crate) fn show(&self, id: u32) -> Option<Bytes> {
        self.exists(id).then(|| json(&show::show(self.seed, id)))
    }

    pub(crate) fn cast(&self, id: u32) -> Option<Bytes> {
        self.exists(id).then(|| json(&cast::cast(self.seed, id)))
    }

    pub(crate) fn updated(&self) -> Vec<(u32, u64)> {
        (1..=self.last_id)
            .filter(|&id| self.exists(id))
            .map(|id| (id, updated(self.seed, id)))
            .collect()
    }

    fn exists(&self, id: u32) -> bool {
        (1..=self.last_id).contains(&id) && !is_hole(self.seed, id)
    }
}

fn is_hole(seed: u64, id: u32) -> bool {
    random(seed, Purpose::Hole, id).u32(..100) < HOLES
}

/// Apart from the rest of a show, so that listing all updates renders no show.
fn updated(seed: u64, id: u32) -> u64 {
    random(seed, Purpose::Updated, id).u64(UPDATED)
}

fn json(value: &impl Serialize) -> Bytes {
    serde_json::to_vec(value).expect("these shapes have only text keys").into()
}
