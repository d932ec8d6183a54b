use fastrand::Rng;

/// What a stream of random numbers is for: each has its own, so that none shifts another.
#[derive(Clone, Copy)]
pub(super) enum Purpose {
    Hole,
    Updated,
    Show,
    Cast,
    Person,
}

/// The random numbers for one thing with one id.
pub(super) fn random(seed: u64, purpose: Purpose, id: u32) -> Rng {
    let thing = (purpose as u64) << 32 | u64::from(id);
    Rng::with_seed(scatter(seed ^ scatter(thing)))
}

/// True in so many of 1,000 cases.
pub(super) fn in_thousand(random: &mut Rng, cases: u32) -> bool {
    random.u32(..1_000) < cases
}

/// One of a list that is not empty.
pub(super) fn one<'list, T>(random: &mut Rng, list: &'list [T]) -> &'list T {
    &list[random.usize(..list.len())]
}

/// One of a list of words that is not empty.
pub(super) fn word(random: &mut Rng, list: &[&'static str]) -> &'static str {
    list[random.usize(..list.len())]
}

/// One of a list with weights that are not all zero.
pub(super) fn weighted<T: Copy>(random: &mut Rng, list: &[(T, u32)]) -> T {
    let total: u32 = list.iter().map(|&(_, weight)| weight).sum();
    let mut left = random.u32(..total);
    for &(value, weight) in list {
        if left < weight {
            return value;
        }
        left -= weight;
    }
    unreachable!("the random number is below the sum of the weights")
}

/// A day between two years, both included; the 28th is the last of a month.
pub(super) fn date(random: &mut Rng, years: std::ops::RangeInclusive<u32>) -> String {
    format!("{}-{:02}-{:02}", random.u32(years), random.u32(1..=12), random.u32(1..=28))
}

/// The finalizer of `SplitMix64`: neighbouring seeds and ids must not give similar streams.
fn scatter(value: u64) -> u64 {
    let value = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}
