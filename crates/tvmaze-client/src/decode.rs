//! Decodes a response; if that fails, finds out where.

use std::fmt;

use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Unexpected,
    Visitor,
};
use serde_json::Value;
use serde_path_to_error::Segment;

/// Gets a second chance to decode a body; returns the error if it cannot either.
pub(crate) type Recover<T> = fn(&[u8], serde_json::Error) -> Result<T, serde_json::Error>;

/// Why a body cannot be decoded, and where.
pub(crate) struct DecodeError {
    pub(crate) cause: serde_json::Error,
    /// Empty if the body is not JSON at all, or not of the expected kind.
    pub(crate) path: String,
    /// The id of the outermost object on the path that has one.
    pub(crate) id: Option<u64>,
}

pub(crate) const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Decodes JSON, with or without a byte order mark.
pub(crate) fn decode<T: DeserializeOwned>(
    body: &[u8],
    recover: Recover<T>,
) -> Result<T, DecodeError> {
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body);
    let decoded = match std::str::from_utf8(body) {
        // Checks the text once, not each string in it.
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(body),
    };
    decoded.or_else(|error| recover(body, error)).map_err(|cause| locate::<T>(body, cause))
}

/// `None` if `T` is an `Option`: what a 404 decodes to.
pub(crate) fn absent<T: DeserializeOwned>() -> Option<T> {
    T::deserialize(Absent).ok()
}

/// Deserializes to nothing but an `Option`.
struct Absent;

impl<'de> Deserializer<'de> for Absent {
    type Error = serde::de::value::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        Err(serde::de::Error::invalid_type(Unexpected::Option, &visitor))
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Self::Error> {
        visitor.visit_none()
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit
        unit_struct newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Decodes once more and keeps track of the path, which would slow down every other decoding.
fn locate<T: DeserializeOwned>(body: &[u8], cause: serde_json::Error) -> DecodeError {
    let mut deserializer = serde_json::Deserializer::from_slice(body);
    let Err(error) = serde_path_to_error::deserialize::<_, T>(&mut deserializer) else {
        return DecodeError { cause, path: String::new(), id: None };
    };
    let segments: Vec<&Segment> = error.path().iter().collect();
    let mut found = None;
    let finder = IdFinder { path: &segments, depth: 0, found: &mut found };
    // It may fail as well, after it has found the id.
    let _ = finder.deserialize(&mut serde_json::Deserializer::from_slice(body));
    let path = if segments.is_empty() { String::new() } else { error.path().to_string() };
    DecodeError { cause, path, id: found.map(|(_, id)| id) }
}

/// Follows a path and notes the `id` of the outermost object on it that has one.
struct IdFinder<'a> {
    path: &'a [&'a Segment],
    depth: usize,
    found: &'a mut Option<(usize, u64)>,
}

impl IdFinder<'_> {
    fn step(&mut self) -> IdFinder<'_> {
        IdFinder { path: &self.path[1..], depth: self.depth + 1, found: self.found }
    }
}

impl<'de> DeserializeSeed<'de> for IdFinder<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for IdFinder<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        if let Some(Segment::Seq { index }) = self.path.first() {
            for _ in 0..*index {
                seq.next_element::<IgnoredAny>()?;
            }
            seq.next_element_seed(self.step())?;
        }
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(key) = map.next_key::<String>()? {
            match self.path.first() {
                Some(Segment::Map { key: next }) if *next == key => {
                    map.next_value_seed(self.step())?;
                }
                _ if key == "id" => {
                    let id = map.next_value::<Value>()?.as_u64();
                    if self.found.is_none_or(|(depth, _)| depth > self.depth) {
                        *self.found = id.map(|id| (self.depth, id)).or(*self.found);
                    }
                }
                _ => _ = map.next_value::<IgnoredAny>()?,
            }
        }
        Ok(())
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        Ok(())
    }

    fn visit_bool<E>(self, _: bool) -> Result<(), E> {
        Ok(())
    }

    fn visit_i64<E>(self, _: i64) -> Result<(), E> {
        Ok(())
    }

    fn visit_u64<E>(self, _: u64) -> Result<(), E> {
        Ok(())
    }

    fn visit_f64<E>(self, _: f64) -> Result<(), E> {
        Ok(())
    }

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CastMember, ScoredShow, Show};

    fn error_of<T: DeserializeOwned>(body: &str) -> (String, Option<u64>) {
        let error = decode::<T>(body.as_bytes(), |_, error| Err(error)).err().unwrap();
        (error.path, error.id)
    }

    #[test]
    fn an_error_has_the_path_and_the_id_of_the_show() {
        let wrong = |field: &str| {
            error_of::<Vec<Show>>(&format!(
                r#"[{{"id": 6, "name": "x"}}, {{"name": "y", {field}, "id": 7}}]"#
            ))
        };
        assert_eq!(wrong(r#""externals": []"#), ("[1].externals".into(), Some(7)));
        assert_eq!(wrong(r#""genres": "Drama""#), ("[1].genres".into(), Some(7)));
        assert_eq!(wrong(r#""genres": ["Drama", 5]"#), ("[1].genres[1]".into(), Some(7)));
        assert_eq!(wrong(r#""rating": {"average": "8"}"#), ("[1].rating.average".into(), Some(7)));
        let network = r#""network": {"id": 3, "name": 4}"#;
        assert_eq!(wrong(network), ("[1].network.name".into(), Some(7)), "not the network's id");
        let surrogate = r#""summary": "a \ud83d""#;
        assert_eq!(error_of::<Show>(&format!(r#"{{"id": 7, {surrogate}}}"#)).1, Some(7));
        assert_eq!(wrong(surrogate).0, "[1].summary");
    }

    #[test]
    fn other_responses_have_ids_too() {
        let missing = error_of::<Vec<Show>>(r#"[{"id": 6, "name": "x"}, {"id": 7}]"#);
        assert_eq!(missing, ("[1]".into(), Some(7)), "a missing name");
        assert_eq!(error_of::<Vec<Show>>(r#"[{"name": "x"}]"#), ("[0]".into(), None));
        assert_eq!(error_of::<Vec<Show>>(r#"[{"id": "6"}]"#), ("[0].id".into(), None));
        let scored = r#"[{"score": 1.5, "show": {"id": 8, "name": 8}}]"#;
        assert_eq!(error_of::<Vec<ScoredShow>>(scored), ("[0].show.name".into(), Some(8)));
        let cast = r#"[{"person": {"id": 9, "name": []}, "character": {"id": 1}}]"#;
        assert_eq!(error_of::<Vec<CastMember>>(cast), ("[0].person.name".into(), Some(9)));
    }

    #[test]
    fn what_is_not_json_has_neither() {
        for body in ["", "<html>", "{}", "[]]", "null"] {
            assert_eq!(error_of::<Vec<Show>>(body), (String::new(), None), "{body}");
        }
    }

    #[test]
    fn only_an_option_can_be_absent() {
        assert_eq!(absent::<Option<Vec<Show>>>(), Some(None));
        assert!(absent::<Option<crate::WithEmbedded<Show, crate::embed::Cast>>>().is_some());
        assert_eq!(absent::<Show>(), None);
        assert_eq!(absent::<Vec<Option<Show>>>(), None);
        assert_eq!(absent::<Value>(), None, "not null");
        assert_eq!(absent::<()>(), None);
        assert!(absent::<Box<serde_json::value::RawValue>>().is_none());
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let decoded = decode::<Vec<u8>>(b"\xef\xbb\xbf[1]", |_, error| Err(error));
        assert_eq!(decoded.ok(), Some(vec![1]));
        assert!(decode::<Vec<u8>>(b"\xef\xbb\xbf\xef\xbb\xbf[1]", |_, error| Err(error)).is_err());
    }
}
