use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// HAL links of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Links {
    /// The object itself.
    #[serde(rename = "self", skip_serializing_if = "Option::is_none")]
    pub self_link: Option<Link>,
    /// The last broadcast episode of a show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previousepisode: Option<Link>,
    /// The next episode of a show.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nextepisode: Option<Link>,
    /// The show of an episode or a credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub show: Option<Link>,
    /// The character of a credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub character: Option<Link>,
    /// The episode of a credit.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub episode: Option<Link>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// A HAL link.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Link {
    /// The URL.
    pub href: Option<String>,
    /// The name of the linked object; only in responses since 2024.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
