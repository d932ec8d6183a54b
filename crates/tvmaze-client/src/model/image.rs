use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::id::ImageId;

/// The URLs of an image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Image {
    /// Scaled down.
    pub medium: Option<String>,
    /// As uploaded.
    pub original: Option<String>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// An entry of `/shows/:id/images`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ShowImage {
    /// TVmaze's id.
    pub id: ImageId,
    /// `poster`, `banner`, `background` or `typography`; `None` if unspecified.
    #[serde(rename = "type")]
    pub kind: Option<String>,
    /// Whether it is the show's main image of its type.
    pub main: Option<bool>,
    /// The available sizes.
    pub resolutions: Option<Resolutions>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// The available sizes of a [`ShowImage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resolutions {
    /// As uploaded.
    pub original: Option<Resolution>,
    /// Scaled down; not available for all types.
    pub medium: Option<Resolution>,
    /// Only in old responses.
    pub large: Option<Resolution>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}

/// One size of a [`ShowImage`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Resolution {
    /// The URL of the image.
    pub url: Option<String>,
    /// The width in pixels; absent in old responses.
    pub width: Option<i64>,
    /// The height in pixels; absent in old responses.
    pub height: Option<i64>,
    /// Keys without a field.
    #[serde(flatten)]
    pub extra: Map<String, Value>,
}
