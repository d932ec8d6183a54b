//! Where the next page of a list begins, as a text that only this service needs to understand.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tvshows_core::{KeysetCursor, ShowId, SortValue};

/// Rises when the form of a cursor changes: an older one is then refused in place of misread.
const VERSION: u8 = 1;

/// A position in the list that `query` describes.
///
/// Not secret, and not signed: whoever forges one gets another page of the same list. The checksum is
/// there for what happens by mistake, a cut text or the cursor of another query.
pub(crate) fn encode(query: &str, position: &KeysetCursor) -> String {
    let (tag, value) = match &position.value {
        SortValue::None => (b'n', Vec::new()),
        SortValue::Integer(number) => (b'i', number.to_be_bytes().to_vec()),
        SortValue::Real(number) => (b'r', number.to_be_bytes().to_vec()),
        SortValue::Text(text) => (b't', text.clone().into_bytes()),
    };
    let mut place = position.id.0.to_be_bytes().to_vec();
    place.push(tag);
    place.extend(value);
    let mut bytes = vec![VERSION];
    bytes.extend(checksum(query, &place));
    bytes.extend(place);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// `None` for whatever is no cursor of `query`.
pub(crate) fn decode(query: &str, text: &str) -> Option<KeysetCursor> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (&[version], rest) = bytes.split_first_chunk()?;
    let (sum, rest) = rest.split_first_chunk()?;
    if version != VERSION || *sum != checksum(query, rest) {
        return None;
    }
    place(rest)
}

/// The place that these bytes say.
pub(crate) fn place(bytes: &[u8]) -> Option<KeysetCursor> {
    let (id, rest) = bytes.split_first_chunk()?;
    let (&[tag], value) = rest.split_first_chunk()?;
    let value = match (tag, value) {
        (b'n', []) => SortValue::None,
        (b'i', number) => SortValue::Integer(i64::from_be_bytes(number.try_into().ok()?)),
        (b'r', number) => SortValue::Real(f64::from_be_bytes(number.try_into().ok()?)),
        (b't', text) => SortValue::Text(String::from_utf8(text.to_vec()).ok()?),
        _ => return None,
    };
    Some(KeysetCursor { value, id: ShowId(u32::from_be_bytes(*id)) })
}

/// FNV-1a: the same in every release and on every machine, which the standard library's is not.
fn checksum(query: &str, place: &[u8]) -> [u8; 8] {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let bytes = query.as_bytes().iter().chain(&[0xff]).chain(place);
    bytes.fold(0xcbf2_9ce4_8422_2325, step).to_be_bytes()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn value() -> impl Strategy<Value = SortValue> {
        prop_oneof![
            Just(SortValue::None),
            any::<i64>().prop_map(SortValue::Integer),
            (-1e300..1e300).prop_map(SortValue::Real),
            any::<String>().prop_map(SortValue::Text),
        ]
    }

    proptest! {
        #[test]
        fn a_cursor_comes_back_as_it_went(query: String, value in value(), id: u32) {
            let position = KeysetCursor { value, id: ShowId(id) };
            let cursor = encode(&query, &position);
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(decode(&query, &cursor), Some(position));
        }

        #[test]
        fn the_cursor_of_another_query_is_none(query: String, other: String, value in value(), id: u32) {
            prop_assume!(query != other);
            prop_assert_eq!(decode(&other, &encode(&query, &KeysetCursor { value, id: ShowId(id) })), None);
        }

        #[test]
        fn an_altered_cursor_is_none(value in value(), id: u32, place: prop::sample::Index, to in "[A-Za-z0-9_-]") {
            let cursor = encode("q", &KeysetCursor { value, id: ShowId(id) });
            let mut altered = cursor.clone();
            let place = place.index(cursor.len());
            altered.replace_range(place..=place, &to);
            prop_assume!(altered != cursor);
            prop_assert_eq!(decode("q", &altered), None);
        }

        #[test]
        fn no_text_makes_decoding_panic(text in ".*") {
            let _ = decode("", &text);
        }
    }
}
