/// Returns the words of a name that contain punctuation, without it and separated by spaces: `Marvels SHIELD` for
/// `Marvel's Agents of S.H.I.E.L.D.`
///
/// Searches find these in addition to the words of the name, so that `swat` finds `S.W.A.T.`
#[must_use]
pub fn joined_words(name: &str) -> String {
    let mut joined = String::new();
    for word in name.split_whitespace() {
        let mut parts = word.split(|c: char| !c.is_alphanumeric()).filter(|part| !part.is_empty());
        let (Some(first), Some(second)) = (parts.next(), parts.next()) else { continue };
        if !joined.is_empty() {
            joined.push(' ');
        }
        joined.extend([first, second].into_iter().chain(parts));
    }
    joined
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_with_punctuation_inside_are_joined() {
        for (name, joined) in [
            ("S.W.A.T.", "SWAT"),
            ("9-1-1: Lone Star", "911"),
            ("Nip/Tuck", "NipTuck"),
            ("Marvel's Spider-Man", "Marvels SpiderMan"),
            ("Bob\u{2019}s Burgers", "Bobs"),
            ("Married... with Children", ""),
            ("Bron / Broen", ""),
            ("'Allo 'Allo!", ""),
            ("", ""),
        ] {
            assert_eq!(joined_words(name), joined, "{name}");
        }
    }
}
