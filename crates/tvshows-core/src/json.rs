use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A piece of JSON text, kept as it is.
///
/// TVmaze's nested objects (a network, an image, the links of a show) are stored and served, never
/// looked into, so their text is all that the domain needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RawJson(Box<RawValue>);

impl RawJson {
    /// Writes `value` as JSON.
    ///
    /// # Errors
    ///
    /// Only where `value` refuses to be serialised.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<RawJson, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(RawJson)
    }

    /// Takes JSON text as it is.
    ///
    /// # Errors
    ///
    /// The text is not JSON.
    pub fn parse(text: String) -> Result<RawJson, serde_json::Error> {
        RawValue::from_string(text).map(RawJson)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for RawJson {
    fn eq(&self, other: &RawJson) -> bool {
        self.as_str() == other.as_str()
    }
}
