use fastrand::Rng;

use super::rng::{choose, permille, weighted};
use super::wordlists::{ACTIONS, FORENAMES, NOUNS, PLACES, PROTAGONISTS, SENTENCES};

/// A few hundred bytes of HTML about a show, rarely empty or null.
pub(super) fn summary(rng: &mut Rng, name: &str) -> Option<String> {
    match rng.u32(..1_000) {
        0..50 => return None,
        50..52 => return Some(String::new()),
        _ => {}
    }
    let title = name.replace('&', "&amp;");
    let mut text = format!("<p><b>{title}</b> follows {}, who", choose(rng, PROTAGONISTS));
    // A no-break space and a zero-width space, as in pasted text.
    text.push_str(if permille(rng, 45) { "\u{a0}" } else { " " });
    text.push_str(if permille(rng, 3) { "\u{200b}" } else { "" });
    text.push_str(choose::<&str>(rng, ACTIONS));
    text.push('.');
    for _ in 0..sentence_count(rng) {
        text.push_str(weighted(rng, &[(" ", 870), ("</p><p>", 110), ("<br /><br />", 20)]));
        text.push_str(&sentence(rng));
    }
    text.push_str("</p>");
    Some(text)
}

fn sentence_count(rng: &mut Rng) -> u32 {
    match rng.u32(..100) {
        0..92 => rng.u32(0..=4),
        92..99 => rng.u32(5..=12),
        _ => rng.u32(12..=21),
    }
}

fn sentence(rng: &mut Rng) -> String {
    let (person, place, noun) = (choose(rng, FORENAMES), choose(rng, PLACES), choose(rng, NOUNS));
    let (protagonist, action) = (choose(rng, PROTAGONISTS), choose(rng, ACTIONS));
    match rng.u32(..100) {
        0..55 => (*choose(rng, SENTENCES)).to_owned(),
        55..75 => format!("In {place}, {protagonist} {action}."),
        75..90 => format!("{person} finds <i>The {noun}</i> and {action}."),
        90..98 => format!("With {person} from {place} at their side, {protagonist} {action}."),
        _ => format!("{person} &amp; friends, {protagonist} among them, {action}."),
    }
}
