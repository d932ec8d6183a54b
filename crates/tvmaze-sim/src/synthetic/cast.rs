use fastrand::Rng;

use super::names::slug;
use super::person::person;
use super::rng::{Stream, choose, permille, rng_for};
use super::show::kind;
use super::wordlists::{FORENAMES, ROLES, SURNAMES};
use crate::payload::{CastMember, Character, Image, Link, Person, SelfLink};

const MAX_ROWS: u32 = 30;

/// The ids of characters that changes add begin here.
const FIRST_ADDED_CHARACTER: u32 = 2_000_000_000;

/// The number of people in all casts.
const PEOPLE: f64 = 20_000.0;

/// The cast of a show; a person with two characters has two rows.
///
/// Each change of the show adds a person at the end and swaps the first two rows.
pub(super) fn cast(seed: u64, show: u32, changes: u32) -> Vec<CastMember> {
    let kind = kind(&mut rng_for(seed, Stream::Show, show));
    let rng = &mut rng_for(seed, Stream::Cast, show);
    let rows =
        if permille(rng, 200) { 0 } else { rng.u32(1..=MAX_ROWS).min(rng.u32(1..=MAX_ROWS)) };
    let mut people: Vec<u32> = Vec::new();
    for _ in 0..rows {
        match people.last() {
            Some(&last) if permille(rng, 40) => people.push(last),
            _ => people.push(new_person(rng, &people)),
        }
    }
    let characters = (0..rows).map(|row| show.wrapping_mul(MAX_ROWS + 1).wrapping_add(row));
    let mut cast: Vec<CastMember> = characters
        .zip(&people)
        .map(|(character, &id)| member(rng, kind, person(seed, id), character))
        .collect();
    if cast.len() > 1 && changes % 2 == 1 {
        cast.swap(0, 1);
    }
    for change in 0..changes {
        let id = new_person(rng, &people);
        people.push(id);
        let character = FIRST_ADDED_CHARACTER
            .wrapping_add(show.wrapping_mul(MAX_ROWS + 1))
            .wrapping_add(change);
        cast.push(member(rng, kind, person(seed, id), character));
    }
    cast
}

/// A person who is not in the cast yet. The cube favors low ids, so that shows share people.
fn new_person(rng: &mut Rng, cast: &[u32]) -> u32 {
    loop {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to PEOPLE")]
        let id = (rng.f64().powi(3) * PEOPLE) as u32 + 1;
        if !cast.contains(&id) {
            return id;
        }
    }
}

fn member(rng: &mut Rng, kind: &str, person: Person, id: u32) -> CastMember {
    let as_self = !matches!(kind, "Scripted" | "Animation") && permille(rng, 800);
    let name = match rng.u32(..10) {
        _ if as_self => person.name.clone(),
        0..2 => (*choose(rng, ROLES)).to_owned(),
        2..7 => format!("{} {}", choose(rng, FORENAMES), choose(rng, SURNAMES)),
        _ => (*choose(rng, FORENAMES)).to_owned(),
    };
    CastMember {
        person,
        character: Character {
            id,
            url: format!("https://www.tvmaze.com/characters/{id}/{}", slug(&name)),
            name,
            image: permille(rng, 500).then(|| Image::portrait(rng.u32(1..1_600_000))),
            links: SelfLink { this: Link::to(&format!("characters/{id}")) },
        },
        as_self,
        voice: kind == "Animation",
    }
}
