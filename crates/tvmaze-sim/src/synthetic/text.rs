use fastrand::Rng;

use super::chance::{in_thousand, weighted, word};
use super::phrases::{DEEDS, PEOPLE, SENTENCES};
use super::words::{
    ADJECTIVES, CHINESE_NAMES, COMMON_NAMES, CYRILLIC_NAMES, FORENAMES, JAPANESE_NAMES,
    KOREAN_NAMES, NOUNS, PLACES, SURNAMES,
};

/// A show's name, now and then in its own script where that is not Latin.
pub(super) fn name(random: &mut Rng, language: Option<&str>) -> String {
    let own_script = in_thousand(random, 250);
    match language {
        Some("Russian" | "Ukrainian") if own_script => own_name(random, CYRILLIC_NAMES, " "),
        Some("Chinese") if own_script => own_name(random, CHINESE_NAMES, ""),
        Some("Japanese") if own_script => own_name(random, JAPANESE_NAMES, ""),
        Some("Korean") if own_script => own_name(random, KOREAN_NAMES, " "),
        _ => latin_name(random),
    }
}

fn own_name(random: &mut Rng, words: [&[&'static str]; 2], between: &str) -> String {
    let [first, second] = words.map(|words| word(random, words));
    if in_thousand(random, 400) {
        format!("{first}{between}{second}")
    } else {
        format!("{first}{between}{second} {}", random.u32(2..=365))
    }
}

fn latin_name(random: &mut Rng) -> String {
    let (adjective, noun, other) =
        (word(random, ADJECTIVES), word(random, NOUNS), word(random, NOUNS));
    let (place, person, family) =
        (word(random, PLACES), word(random, FORENAMES), word(random, SURNAMES));
    match random.u32(..100) {
        0..1 => word(random, COMMON_NAMES).to_owned(),
        1..5 => format!("The {adjective} {noun}"),
        5..7 => format!("{noun} & {other}"),
        7..15 => format!("{person}'s {adjective} {noun}"),
        15..25 => format!("{noun} {}", random.u32(2..=9_999)),
        25..50 => format!("{person} {family} and the {adjective} {noun}"),
        50..75 => format!("The {noun} of {place}: {adjective} {other}"),
        _ => format!("{place} {other}: The {family} {noun}"),
    }
}

/// A name as TVmaze puts it into its addresses; a name without a Latin letter gets a stand-in.
pub(super) fn slug(name: &str) -> String {
    let kept: String = name
        .chars()
        .filter(|&character| character != '\'')
        .map(|character| if character.is_ascii_alphanumeric() { character } else { ' ' })
        .collect();
    let words: Vec<&str> = kept.split_whitespace().collect();
    if words.is_empty() { "untitled".to_owned() } else { words.join("-").to_ascii_lowercase() }
}

/// A few hundred bytes of HTML about a show, rarely empty or missing.
pub(super) fn summary(random: &mut Rng, name: &str) -> Option<String> {
    match random.u32(..1_000) {
        0..50 => return None,
        50..52 => return Some(String::new()),
        _ => {}
    }
    let title = name.replace('&', "&amp;");
    let mut text = format!("<p><b>{title}</b> follows {}, who", word(random, PEOPLE));
    // A space that does not break, and one without a width: pasted text has them.
    text.push_str(if in_thousand(random, 45) { "\u{a0}" } else { " " });
    text.push_str(if in_thousand(random, 3) { "\u{200b}" } else { "" });
    text.push_str(word(random, DEEDS));
    text.push('.');
    for _ in 0..sentences(random) {
        text.push_str(weighted(random, &[(" ", 870), ("</p><p>", 110), ("<br /><br />", 20)]));
        text.push_str(&sentence(random));
    }
    text.push_str("</p>");
    Some(text)
}

fn sentences(random: &mut Rng) -> u32 {
    match random.u32(..100) {
        0..92 => random.u32(0..=4),
        92..99 => random.u32(5..=12),
        _ => random.u32(12..=21),
    }
}

fn sentence(random: &mut Rng) -> String {
    let (person, place, noun) =
        (word(random, FORENAMES), word(random, PLACES), word(random, NOUNS));
    let (people, deed) = (word(random, PEOPLE), word(random, DEEDS));
    match random.u32(..100) {
        0..55 => word(random, SENTENCES).to_owned(),
        55..75 => format!("In {place}, {people} {deed}."),
        75..90 => format!("{person} finds <i>The {noun}</i> and {deed}."),
        90..98 => format!("With {person} from {place} at their side, {people} {deed}."),
        _ => format!("{person} &amp; friends, {people} among them, {deed}."),
    }
}
