use super::countries::COUNTRIES;
use super::names::slug;
use super::rng::{Stream, choose, date, permille, rng_for};
use super::timestamps::UPDATED;
use super::wordlists::{FORENAMES, SURNAMES};
use crate::payload::{Image, Link, Person, SelfLink};

/// The person with this id, the same in every cast.
pub(super) fn person(seed: u64, id: u32) -> Person {
    let rng = &mut rng_for(seed, Stream::Person, id);
    let name = format!("{} {}", choose(rng, FORENAMES), choose(rng, SURNAMES));
    let birthday = (!permille(rng, 540)).then(|| date(rng, 1928..=2005));
    let is_dead = birthday.is_some() && permille(rng, 25);
    Person {
        id,
        url: format!("https://www.tvmaze.com/people/{id}/{}", slug(&name)),
        name,
        country: (!permille(rng, 430)).then(|| *choose(rng, COUNTRIES)),
        birthday,
        deathday: is_dead.then(|| date(rng, 2006..=2025)),
        gender: [Some("Male"), Some("Male"), Some("Female"), Some("Female"), None][rng.usize(..5)],
        image: (!permille(rng, 120)).then(|| Image::portrait(rng.u32(1..1_600_000))),
        updated: rng.u64(UPDATED),
        links: SelfLink { this: Link::to(&format!("people/{id}")) },
    }
}
