use std::fmt;

use serde::Deserialize;
use serde_json::Value;

use crate::{RawJson, Show, ShowId};

/// What identifies a show: TVmaze's id, or that of another database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ShowKey {
    Id(ShowId),
    External(ExternalId),
}

impl From<ShowId> for ShowKey {
    fn from(id: ShowId) -> ShowKey {
        ShowKey::Id(id)
    }
}

impl From<ExternalId> for ShowKey {
    fn from(id: ExternalId) -> ShowKey {
        ShowKey::External(id)
    }
}

/// A database whose ids TVmaze lists as the `externals` of a show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExternalDatabase {
    Imdb,
    Thetvdb,
    Tvrage,
}

impl ExternalDatabase {
    pub const ALL: [ExternalDatabase; 3] =
        [ExternalDatabase::Imdb, ExternalDatabase::Thetvdb, ExternalDatabase::Tvrage];

    /// The key of its ids in `externals`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            ExternalDatabase::Imdb => "imdb",
            ExternalDatabase::Thetvdb => "thetvdb",
            ExternalDatabase::Tvrage => "tvrage",
        }
    }
}

/// The id of a show in another database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExternalId {
    database: ExternalDatabase,
    id: String,
}

/// A text that cannot be the id of a show in a database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ParseExternalIdError {
    #[error("must be `tt` and 7 to 12 digits, such as tt0944947")]
    Imdb,
    #[error("must be a number, such as 121361")]
    Number,
}

impl ExternalId {
    /// Parses `tt` and digits for IMDb, and a number for the others.
    pub fn parse(database: ExternalDatabase, id: &str) -> Result<ExternalId, ParseExternalIdError> {
        let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let id = if database == ExternalDatabase::Imdb {
            let digits = id.strip_prefix("tt").filter(|digits| is_number(digits));
            let digits = digits.filter(|digits| (7..=12).contains(&digits.len()));
            digits.map(|_| id.to_owned()).ok_or(ParseExternalIdError::Imdb)?
        } else {
            // Without leading zeros.
            let number = Some(id).filter(|id| is_number(id)).and_then(|id| id.parse::<u32>().ok());
            number.ok_or(ParseExternalIdError::Number)?.to_string()
        };
        Ok(ExternalId { database, id })
    }

    /// Returns the ids in the `externals` of a show. Malformed ones count as missing.
    #[must_use]
    pub fn from_externals(json: &str) -> Vec<ExternalId> {
        #[derive(Default, Deserialize)]
        #[serde(default)]
        struct Externals {
            imdb: Value,
            thetvdb: Value,
            tvrage: Value,
        }
        let Externals { imdb, thetvdb, tvrage } = serde_json::from_str(json).unwrap_or_default();
        let ids = ExternalDatabase::ALL.into_iter().zip([imdb, thetvdb, tvrage]);
        let ids = ids.filter_map(|(database, id)| match id {
            Value::String(id) => ExternalId::parse(database, &id).ok(),
            Value::Number(id) => ExternalId::parse(database, &id.to_string()).ok(),
            _ => None,
        });
        ids.collect()
    }

    /// Whether this is an id of the show.
    #[must_use]
    pub fn identifies(&self, show: &Show) -> bool {
        let externals = show.externals.as_ref().map(RawJson::as_str);
        externals.is_some_and(|json| ExternalId::from_externals(json).contains(self))
    }

    #[must_use]
    pub fn database(&self) -> ExternalDatabase {
        self.database
    }

    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

/// Such as `imdb:tt0944947`.
impl fmt::Display for ExternalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.database.name(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_imdb_id_has_a_prefix_and_the_others_are_numbers() {
        use ExternalDatabase::{Imdb, Thetvdb, Tvrage};
        let parse = |database, id| ExternalId::parse(database, id).map(|id| id.to_string());
        assert_eq!(parse(Imdb, "tt0944947"), Ok("imdb:tt0944947".into()));
        assert_eq!(parse(Thetvdb, "0121361"), Ok("thetvdb:121361".into()));
        assert_eq!(parse(Tvrage, "0"), Ok("tvrage:0".into()));
        for id in
            ["", "tt", "tt123456", "0944947", "TT0944947", "tt0944947 ", "tt-944947", "nm0944947"]
        {
            assert_eq!(parse(Imdb, id), Err(ParseExternalIdError::Imdb), "{id:?}");
        }
        for id in ["", "tt0944947", "+5", "-5", " 5", "1e3", "4294967296", "\u{663}"] {
            assert_eq!(parse(Thetvdb, id), Err(ParseExternalIdError::Number), "{id:?}");
        }
    }
}
