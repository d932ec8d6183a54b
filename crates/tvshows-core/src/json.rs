use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

/// A piece of JSON text, kept as it is.
///
/// TVmaze's nested objects (a network, an image, the links of a show) are stored and served, never
/// looked into, so their text is all that the domain needs.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Json(Box<RawValue>);

impl Json {
    /// Writes `value` as JSON.
    ///
    /// # Errors
    ///
    /// Only where `value` refuses to be serialised.
    pub fn of<T: Serialize + ?Sized>(value: &T) -> Result<Json, serde_json::Error> {
        serde_json::value::to_raw_value(value).map(Json)
    }

    /// Takes JSON text as it is.
    ///
    /// # Errors
    ///
    /// The text is not JSON.
    pub fn parse(text: String) -> Result<Json, serde_json::Error> {
        RawValue::from_string(text).map(Json)
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.0.get()
    }
}

impl PartialEq for Json {
    fn eq(&self, other: &Json) -> bool {
        self.as_str() == other.as_str()
    }
}
