//! What identifies a request in its response and in the log.

use std::net::IpAddr;

use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: &str = "traceparent";
/// Longer ids are replaced because they would clutter the log.
const MAX_ID_LENGTH: usize = 64;

tokio::task_local! {
    pub(crate) static CURRENT: RequestContext;
}

/// The ids and the client of a request. [`RequestContext::current`] returns them anywhere in the task that handles the request.
///
/// They are not span fields, because those would be recorded for every request, even if nothing is logged.
#[derive(Debug, Clone)]
pub struct RequestContext {
    /// Visible ASCII.
    pub(crate) id: HeaderValue,
    /// A valid `traceparent` header.
    pub(crate) traceparent: Option<HeaderValue>,
    pub(crate) client: Option<IpAddr>,
}

impl RequestContext {
    /// Calls `read` with the context of the request that this task handles; `None` outside a request.
    pub fn current<T>(read: impl FnOnce(&RequestContext) -> T) -> Option<T> {
        CURRENT.try_with(read).ok()
    }

    /// The request's `X-Request-Id`, or the generated id if that is missing or invalid.
    #[must_use]
    pub fn request_id(&self) -> &str {
        self.id.to_str().unwrap_or_default()
    }

    /// The id of the trace in the client's `traceparent`.
    #[must_use]
    pub fn trace_id(&self) -> Option<&str> {
        self.traceparent()?.get(3..35)
    }

    /// The address of the client, possibly as a trusted proxy reports it.
    #[must_use]
    pub fn client(&self) -> Option<IpAddr> {
        self.client
    }

    pub(crate) fn traceparent(&self) -> Option<&str> {
        self.traceparent.as_ref()?.to_str().ok()
    }

    pub(crate) fn new(headers: &HeaderMap, client: Option<IpAddr>) -> RequestContext {
        let id = headers.get(REQUEST_ID).filter(|id| is_valid(id.as_bytes()));
        let traceparent = headers.get(TRACEPARENT).filter(|value| is_traceparent(value.as_bytes()));
        let id = id.cloned().unwrap_or_else(new_id);
        RequestContext { id, traceparent: traceparent.cloned(), client }
    }
}

fn new_id() -> HeaderValue {
    let id = format!("{:032x}", fastrand::u128(..));
    HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
}

fn is_valid(id: &[u8]) -> bool {
    let is_allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.:/=+".contains(byte);
    (1..=MAX_ID_LENGTH).contains(&id.len()) && id.iter().all(is_allowed)
}

/// Whether text has the form `version-trace-parent-flags` of W3C Trace Context. Later versions may append fields.
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
            RequestContext::new(&headers, None).request_id().to_owned()
        };
        for valid in ["7", "a-B_c.9", &"x".repeat(64)] {
            assert_eq!(id(valid.as_bytes()), valid);
        }
        for invalid in [&b""[..], b"a b", b"\"x\"", b"\xff", b"<script>", &[b'x'; 65]] {
            let new = id(invalid);
            assert_eq!(new.len(), 32, "{new}");
            assert!(new.bytes().all(|byte| byte.is_ascii_hexdigit()), "{new}");
        }
        assert_ne!(id(b""), id(b""));
    }

    #[test]
    fn a_trace_is_followed_where_its_parent_is_sound() {
        let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
        let trace_of = |sent: &str| {
            let mut headers = HeaderMap::new();
            let name = HeaderName::from_static(TRACEPARENT);
            headers.insert(name, HeaderValue::from_str(sent).unwrap());
            RequestContext::new(&headers, None).trace_id().map(str::to_owned)
        };
        for valid in ["00-T-00f067aa0ba902b7-01", "01-T-00f067aa0ba902b7-00-more"] {
            assert_eq!(trace_of(&valid.replace('T', trace)).as_deref(), Some(trace));
        }
        for invalid in [
            "",
            "00-T",
            "00-T-00f067aa0ba902b7-01-more",
            "ff-T-00f067aa0ba902b7-01",
            "00-T-0000000000000000-01",
            "00-T-00F067AA0BA902B7-01",
            "00_T-00f067aa0ba902b7-01",
        ] {
            assert_eq!(trace_of(&invalid.replace('T', trace)), None, "{invalid}");
        }
        assert_eq!(trace_of("00-00000000000000000000000000000000-00f067aa0ba902b7-01"), None);
    }
}
