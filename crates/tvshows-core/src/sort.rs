use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use strum::{Display, EnumString, VariantNames};

/// The order of a list. Shows without the value come last in either direction; ties are broken by id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Sort {
    pub by: SortBy,
    pub descending: bool,
}

/// The field a list is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[derive(Display, EnumString, VariantNames)]
#[strum(serialize_all = "lowercase")]
pub enum SortBy {
    #[default]
    Id,
    /// Ignores the case of A to Z.
    Name,
    Rating,
    Premiered,
    Updated,
    Weight,
    /// Best match first: the name equals the search text, the name contains all words, the summary is
    /// needed to match some of them; then by weight. Depends only on the show and the text, so a show
    /// keeps its position when others change.
    Relevance,
}

/// A text that is not a sort order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error(
    "must be id, name, rating, premiered, updated or weight, with a leading - for descending order, or relevance"
)]
pub struct ParseSortError;

impl FromStr for Sort {
    type Err = ParseSortError;

    fn from_str(text: &str) -> Result<Sort, ParseSortError> {
        let (word, descending) = text.strip_prefix('-').map_or((text, false), |word| (word, true));
        let by = word.parse().map_err(|_| ParseSortError)?;
        let sort = Sort { by, descending };
        if by == SortBy::Relevance && descending { Err(ParseSortError) } else { Ok(sort) }
    }
}

impl fmt::Display for Sort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.descending { "-" } else { "" }, self.by)
    }
}

/// The words for all orders.
impl JsonSchema for Sort {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Sort".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let words = SortBy::VARIANTS.iter().flat_map(|by| [(*by).to_owned(), format!("-{by}")]);
        let words: Vec<_> = words.filter(|word| word.parse::<Sort>().is_ok()).collect();
        json_schema!({"type": "string", "enum": words})
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_order_is_named_as_it_is_written() {
        for text in ["id", "-id", "name", "-rating", "premiered", "-updated", "weight", "relevance"]
        {
            assert_eq!(text.parse::<Sort>().unwrap().to_string(), text);
        }
        for wrong in ["", "-", "--id", "+id", "Name", "-relevance", "popularity"] {
            assert_eq!(wrong.parse::<Sort>(), Err(ParseSortError), "{wrong}");
        }
    }

    #[test]
    fn the_schema_lists_every_order_but_reverse_relevance() {
        let schema = schemars::schema_for!(Sort);
        assert_eq!(schema.get("enum").unwrap().as_array().unwrap().len(), 13);
    }

    proptest! {
        #[test]
        fn no_text_makes_an_order_panic(text in any::<String>()) {
            let _ = text.parse::<Sort>();
        }
    }
}
