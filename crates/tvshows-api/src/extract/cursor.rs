//! Encodes the position of the next page of a list as opaque text.

use base64::Engine;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use tvshows_core::{KeysetCursor, ShowId, SortValue};

/// Incremented when the format changes, so that older cursors are rejected instead of misread.
const VERSION: u8 = 1;

/// Encodes a position in the list that `scope` identifies.
///
/// A cursor is neither secret nor signed: a forged one only reads another page of the same list. The checksum detects
/// mistakes, such as truncated text or the cursor of another list.
pub(crate) fn encode(scope: &str, position: &KeysetCursor) -> String {
    let (tag, value) = match &position.value {
        SortValue::None => (b'n', Vec::new()),
        SortValue::Integer(number) => (b'i', number.to_be_bytes().to_vec()),
        SortValue::Real(number) => (b'r', number.to_be_bytes().to_vec()),
        SortValue::Text(text) => (b't', text.clone().into_bytes()),
    };
    let mut payload = position.id.0.to_be_bytes().to_vec();
    payload.push(tag);
    payload.extend(value);
    let mut bytes = vec![VERSION];
    bytes.extend(checksum(scope, &payload));
    bytes.extend(payload);
    BASE64_URL_SAFE_NO_PAD.encode(bytes)
}

/// `None` if the text is not a cursor of the list that `scope` identifies.
pub(crate) fn decode(scope: &str, text: &str) -> Option<KeysetCursor> {
    let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok()?;
    let (&[version], rest) = bytes.split_first_chunk()?;
    let (sum, payload) = rest.split_first_chunk()?;
    if version != VERSION || *sum != checksum(scope, payload) {
        return None;
    }
    decode_position(payload)
}

/// Decodes what follows the checksum.
pub(crate) fn decode_position(payload: &[u8]) -> Option<KeysetCursor> {
    let (id, rest) = payload.split_first_chunk()?;
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

/// FNV-1a, because unlike the standard library's hash it is the same in every release and on every machine.
fn checksum(scope: &str, payload: &[u8]) -> [u8; 8] {
    let step = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    let bytes = scope.as_bytes().iter().chain(&[0xff]).chain(payload);
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
        fn a_cursor_comes_back_as_it_went(scope: String, value in value(), id: u32) {
            let position = KeysetCursor { value, id: ShowId(id) };
            let cursor = encode(&scope, &position);
            prop_assert!(cursor.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
            prop_assert_eq!(decode(&scope, &cursor), Some(position));
        }

        #[test]
        fn the_cursor_of_another_list_is_none(scope: String, other: String, value in value(), id: u32) {
            prop_assume!(scope != other);
            prop_assert_eq!(decode(&other, &encode(&scope, &KeysetCursor { value, id: ShowId(id) })), None);
        }

        #[test]
        fn an_altered_cursor_is_none(value in value(), id: u32, index: prop::sample::Index, to in "[A-Za-z0-9_-]") {
            let cursor = encode("q", &KeysetCursor { value, id: ShowId(id) });
            let mut altered = cursor.clone();
            let index = index.index(cursor.len());
            altered.replace_range(index..=index, &to);
            prop_assume!(altered != cursor);
            prop_assert_eq!(decode("q", &altered), None);
        }

        #[test]
        fn no_text_makes_decoding_panic(text in ".*") {
            let _ = decode("", &text);
        }
    }
}
