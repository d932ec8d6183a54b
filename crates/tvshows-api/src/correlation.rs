//! What names a request in its answer and in the log.

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: &str = "traceparent";
/// Longer ids are replaced: they would fill the log.
const LONGEST_ID: usize = 64;

tokio::task_local! {
    pub(crate) static CURRENT: Correlation;
}

/// The names of a request. [`Correlation::current`] knows them wherever the request is worked on.
///
/// Not fields of a span: those are written down for every request, also where nothing is logged.
#[derive(Debug, Clone)]
pub struct Correlation {
    /// Known to consist of visible ASCII.
    pub(crate) id: HeaderValue,
    /// A sound `traceparent`.
    pub(crate) traceparent: Option<HeaderValue>,
}

impl Correlation {
    /// The id and the trace of the request that this task works on.
    pub fn current<T>(look: impl FnOnce(&Correlation) -> T) -> Option<T> {
        CURRENT.try_with(look).ok()
    }

    /// The request's `X-Request-Id`, or the one that it got in its place.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// The trace of which the client says that the request is a part.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent()?.get(3..35)
    }

    pub(crate) fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_ref()?.to_str().ok()
    }

    pub(crate) fn of(headers: &HeaderMap) -> Correlation {
        let id = headers.get(REQUEST_ID).filter(|id| is_sane(id.as_bytes()));
        let traceparent = headers.get(TRACEPARENT).filter(|value| is_traceparent(value.as_bytes()));
        Correlation { id: id.cloned().unwrap_or_else(new_id), traceparent: traceparent.cloned() }
    }
}

fn new_id() -> HeaderValue {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let number = fastrand::u128(..).to_be_bytes();
    let digit = |half: u8| DIGITS[usize::from(half)];
    let text: Vec<u8> =
        number.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    HeaderValue::from_maybe_shared(actix_web::web::Bytes::from(text))
        .unwrap_or(HeaderValue::from_static("none"))
}

fn is_sane(id: &[u8]) -> bool {
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/=+".contains(byte);
    (1..=LONGEST_ID).contains(&id.len()) && id.iter().all(is_plain)
}

/// Whether a text is `version-trace-parent-flags` as W3C Trace Context has it. Later versions may say more.
fn is_traceparent(text: &[u8]) -> bool {
    let is_hex =
        |part: &[u8]| part.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte));
    let is_zero = |part: &[u8]| part.iter().all(|byte| *byte == b'0');
    let (Some(known), rest) = (text.get(..55), text.get(55..).unwrap_or_default()) else {
        return false;
    };
    let (version, trace, parent, flags) =
        (&known[..2], &known[3..35], &known[36..52], &known[53..]);
    [known[2], known[35], known[52]] == *b"---"
        && [version, trace, parent, flags].into_iter().all(is_hex)
        && !is_zero(trace)
        && !is_zero(parent)
        && version != b"ff"
        && (rest.is_empty() || (version != b"00" && rest[0] == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_is_kept_and_garbage_replaced() {
        let id = |sent: &[u8]| {
            let mut headers = HeaderMap::new();
            headers.insert(REQUEST_ID, HeaderValue::from_bytes(sent).unwrap());
            Correlation::of(&headers).request_id().to_owned()
        };
        for sane in ["7", "a-B_c.9", &"x".repeat(64)] {
            assert_eq!(id(sane.as_bytes()), sane);
        }
        for garbage in [&b""[..], b"a b", b"\"x\"", b"\xff", b"<script>", &[b'x'; 65]] {
            let new = id(garbage);
            assert_eq!(new.len(), 32, "{new}");
            assert!(new.bytes().all(|byte| byte.is_ascii_hexdigit()), "{new}");
        }
        assert_ne!(id(b""), id(b""));
    }

    #[test]
    fn a_trace_is_followed_where_its_parent_is_sound() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let of = |sent: &str| {
            let mut headers = HeaderMap::new();
            let name = HeaderName::from_static(TRACEPARENT);
            headers.insert(name, HeaderValue::from_str(sent).unwrap());
            Correlation::of(&headers).trace_id().map(str::to_owned)
        };
        for sound in ["00-T-00f067aa0ba902b7-01", "01-T-00f067aa0ba902b7-00-more"] {
            assert_eq!(of(&sound.replace('T', trace)).as_deref(), Some(trace));
        }
        for wrong in [
            "",
            "00-T",
            "00-T-00f067aa0ba902b7-01-more",
            "ff-T-00f067aa0ba902b7-01",
            "00-T-0000000000000000-01",
            "00-T-00F067AA0BA902B7-01",
            "00_T-00f067aa0ba902b7-01",
        ] {
            assert_eq!(of(&wrong.replace('T', trace)), None, "{wrong}");
        }
        assert_eq!(of("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), None);
    }
}
