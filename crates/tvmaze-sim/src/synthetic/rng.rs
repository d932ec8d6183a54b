use fastrand::Rng;

/// Independent streams of random numbers, so that drawing from one does not affect the others.
#[derive(Clone, Copy)]
pub(super) enum Stream {
    Deleted,
    Updated,
    Show,
    Cast,
    Person,
    Episodes,
    Weekly,
}

pub(super) fn rng_for(seed: u64, stream: Stream, id: u32) -> Rng {
    let key = (stream as u64) << 32 | u64::from(id);
    Rng::with_seed(splitmix64(seed ^ splitmix64(key)))
}

/// True with a probability of `probability` / 1,000.
pub(super) fn permille(rng: &mut Rng, probability: u32) -> bool {
    rng.u32(..1_000) < probability
}

/// A random element of a list, which must not be empty.
pub(super) fn choose<'list, T>(rng: &mut Rng, list: &'list [T]) -> &'list T {
    &list[rng.usize(..list.len())]
}

/// A random value of a list of values and weights, of which one must be above zero.
pub(super) fn weighted<T: Copy>(rng: &mut Rng, list: &[(T, u32)]) -> T {
    let total: u32 = list.iter().map(|&(_, weight)| weight).sum();
    let mut remaining = rng.u32(..total);
    for &(value, weight) in list {
        if remaining < weight {
            return value;
        }
        remaining -= weight;
    }
    unreachable!("the random number is below the sum of the weights")
}

/// A date in a range of years, never after the 28th of a month.
pub(super) fn date(rng: &mut Rng, years: std::ops::RangeInclusive<u32>) -> String {
    format!("{}-{:02}-{:02}", rng.u32(years), rng.u32(1..=12), rng.u32(1..=28))
}

/// The finalizer of `SplitMix64`, so that adjacent seeds and ids do not give similar streams.
fn splitmix64(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
