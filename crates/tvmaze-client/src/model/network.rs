use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::NetworkId;

/// A broadcaster or a streaming service.
///
/// TVmaze numbers the two separately: a network and a web channel can have the same id.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Network {
    /// TVmaze's id.
    pub id: NetworkId,
    /// The name.
    pub name: Option<String>,
    /// `None` for a global service.
    pub country: Option<Country>,
    /// The network's official website.
    pub official_site: Option<String>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A country.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Country {
    /// The English name.
    pub name: Option<String>,
    /// The ISO 3166-1 alpha-2 code.
    pub code: Option<String>,
    /// The IANA time zone name.
    pub timezone: Option<String>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
