use std::ops::Range;

use super::rng::{Stream, rng_for};

/// When shows and people were last updated, in Unix time: from 2020-01-01 to 2026-07-01.
pub(super) const UPDATED: Range<u64> = 1_577_836_800..1_782_864_000;

/// Separate from the rest of a show, so that listing all updates does not generate the shows.
pub(super) fn show_updated(seed: u64, id: u32) -> u64 {
    rng_for(seed, Stream::Updated, id).u64(UPDATED)
}
