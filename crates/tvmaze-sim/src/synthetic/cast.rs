use fastrand::Rng;

use super::chance::{Purpose, in_thousand, random, word};
use super::people::person;
use super::show::kind;
use super::text::slug;
use super::words::{FORENAMES, ROLES, SURNAMES};
use crate::shape::{CastMember, Character, Image, Link, Person, SelfLink};

/// The most rows that a cast has.
const ROWS: u32 = 30;

/// How many persons there are.
const PERSONS: f64 = 20_000.0;

/// The cast of a show, in order of importance; a person with two characters is two rows.
pub(super) fn cast(seed: u64, show: u32) -> Vec<CastMember> {
    let kind = kind(&mut random(seed, Purpose::Show, show));
    let random = &mut random(seed, Purpose::Cast, show);
    let rows =
        if in_thousand(random, 200) { 0 } else { random.u32(1..=ROWS).min(random.u32(1..=ROWS)) };
    let mut persons: Vec<u32> = Vec::new();
    for _ in 0..rows {
        match persons.last() {
            Some(&last) if in_thousand(random, 40) => persons.push(last),
            _ => persons.push(new_person(random, &persons)),
        }
    }
    let characters = (0..rows).map(|row| show.wrapping_mul(ROWS + 1).wrapping_add(row));
    characters
        .zip(persons)
        .map(|(character, id)| member(random, kind, person(seed, id), character))
        .collect()
}

/// A person who is not in the cast yet; the cube makes the first ones busy, so that shows share them.
fn new_person(random: &mut Rng, cast: &[u32]) -> u32 {
    loop {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to PERSONS")]
        let id = (random.f64().powi(3) * PERSONS) as u32 + 1;
        if !cast.contains(&id) {
            return id;
        }
    }
}

fn member(random: &mut Rng, kind: &str, person: Person, id: u32) -> CastMember {
    let as_self = !matches!(kind, "Scripted" | "Animation") && in_thousand(random, 800);
    let name = match random.u32(..10) {
        _ if as_self => person.name.clone(),
        0..2 => word(random, ROLES).to_owned(),
        2..7 => format!("{} {}", word(random, FORENAMES), word(random, SURNAMES)),
        _ => word(random, FORENAMES).to_owned(),
    };
    CastMember {
        person,
        character: Character {
            id,
            url: format!("https://www.tvmaze.com/characters/{id}/{}", slug(&name)),
            name,
            image: in_thousand(random, 500).then(|| Image::portrait(random.u32(1..1_600_000))),
            links: SelfLink { this: Link::to(&format!("characters/{id}")) },
        },
        as_self,
        voice: kind == "Animation",
    }
}
