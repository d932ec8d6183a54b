use fastrand::Rng;

use super::rng::{choose, permille};
use super::wordlists::{
    ADJECTIVES, CHINESE_NAMES, COMMON_NAMES, CYRILLIC_NAMES, FORENAMES, JAPANESE_NAMES,
    KOREAN_NAMES, NOUNS, PLACES, SURNAMES,
};

/// The name of a show, sometimes in the native script of its language.
pub(super) fn show_name(rng: &mut Rng, language: Option<&str>) -> String {
    let is_native = permille(rng, 250);
    match language {
        Some("Russian" | "Ukrainian") if is_native => native_name(rng, CYRILLIC_NAMES, " "),
        Some("Chinese") if is_native => native_name(rng, CHINESE_NAMES, ""),
        Some("Japanese") if is_native => native_name(rng, JAPANESE_NAMES, ""),
        Some("Korean") if is_native => native_name(rng, KOREAN_NAMES, " "),
        _ => latin_name(rng),
    }
}

fn native_name(rng: &mut Rng, words: [&[&str]; 2], separator: &str) -> String {
    let [first, second] = words.map(|words| choose(rng, words));
    if permille(rng, 400) {
        format!("{first}{separator}{second}")
    } else {
        format!("{first}{separator}{second} {}", rng.u32(2..=365))
    }
}

fn latin_name(rng: &mut Rng) -> String {
    let (adjective, noun, other) =
        (choose(rng, ADJECTIVES), choose(rng, NOUNS), choose(rng, NOUNS));
    let (place, person, family) =
        (choose(rng, PLACES), choose(rng, FORENAMES), choose(rng, SURNAMES));
    match rng.u32(..100) {
        0..1 => (*choose(rng, COMMON_NAMES)).to_owned(),
        1..5 => format!("The {adjective} {noun}"),
        5..7 => format!("{noun} & {other}"),
        7..15 => format!("{person}'s {adjective} {noun}"),
        15..25 => format!("{noun} {}", rng.u32(2..=9_999)),
        25..50 => format!("{person} {family} and the {adjective} {noun}"),
        50..75 => format!("The {noun} of {place}: {adjective} {other}"),
        _ => format!("{place} {other}: The {family} {noun}"),
    }
}

/// A name as in TVmaze's URLs; `untitled` if it has no ASCII letter or digit.
pub(super) fn slug(name: &str) -> String {
    let cleaned: String = name
        .chars()
        .filter(|&character| character != '\'')
        .map(|character| if character.is_ascii_alphanumeric() { character } else { ' ' })
        .collect();
    let words: Vec<&str> = cleaned.split_whitespace().collect();
    if words.is_empty() { "untitled".to_owned() } else { words.join("-").to_ascii_lowercase() }
}
