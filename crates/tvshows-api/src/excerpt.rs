use std::borrow::Cow;

/// How much of a text from a client is logged or repeated in a response, in characters.
const MAX_LENGTH: usize = 200;

/// The beginning of a text from a client. An ellipsis marks what is missing.
pub(crate) fn excerpt(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_LENGTH) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_between_characters() {
        let fits = "é".repeat(200);
        assert_eq!(excerpt(&fits), fits);
        assert_eq!(excerpt(&(fits.clone() + "é")), fits + "…");
    }
}
