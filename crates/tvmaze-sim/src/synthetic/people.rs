use super::UPDATED;
use super::chance::{Purpose, date, in_thousand, one, random, word};
use super::channels::COUNTRIES;
use super::text::slug;
use super::words::{FORENAMES, SURNAMES};
use crate::shape::{Image, Link, Person, SelfLink};

/// One person, the same in every show.
pub(super) fn person(seed: u64, id: u32) -> Person {
    let random = &mut random(seed, Purpose::Person, id);
    let name = format!("{} {}", word(random, FORENAMES), word(random, SURNAMES));
    let birthday = (!in_thousand(random, 540)).then(|| date(random, 1928..=2005));
    let died = birthday.is_some() && in_thousand(random, 25);
    Person {
        id,
        url: format!("https://www.tvmaze.com/people/{id}/{}", slug(&name)),
        name,
        country: (!in_thousand(random, 430)).then(|| *one(random, COUNTRIES)),
        birthday,
        deathday: died.then(|| date(random, 2006..=2025)),
        gender: [Some("Male"), Some("Male"), Some("Female"), Some("Female"), None]
            [random.usize(..5)],
        image: (!in_thousand(random, 120)).then(|| Image::portrait(random.u32(1..1_600_000))),
        updated: random.u64(UPDATED),
        links: SelfLink { this: Link::to(&format!("people/{id}")) },
    }
}
