use std::fmt;

use actix_web::http::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// Fewer characters than these can be guessed in a lifetime.
const LEAST: usize = 16;
const MOST: usize = 256;

/// What whoever changes something must know. Neither its `Debug` nor an error shows it.
#[derive(Debug, Clone)]
pub struct ApiToken(SecretString);

/// A text that cannot be a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WrongToken;

impl fmt::Display for WrongToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must have {LEAST} to {MOST} characters, each of them a letter from a to z, a digit or one of -._~+/=; \
             `openssl rand -hex 32` makes one"
        )
    }
}

impl std::error::Error for WrongToken {}

impl TryFrom<SecretString> for ApiToken {
    type Error = WrongToken;

    fn try_from(text: SecretString) -> Result<ApiToken, WrongToken> {
        let token = text.expose_secret();
        // RFC 6750: what a header can carry as it is.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if (LEAST..=MOST).contains(&token.len()) && token.bytes().all(is_allowed) {
            Ok(ApiToken(text))
        } else {
            Err(WrongToken)
        }
    }
}

impl ApiToken {
    /// Whether an `Authorization` is `Bearer` with this token. Takes as long for one that is nearly right.
    pub(crate) fn is_in(&self, authorization: &HeaderValue) -> bool {
        let text = authorization.to_str().unwrap_or_default();
        let Some((scheme, token)) = text.split_once(' ') else { return false };
        let right = self.0.expose_secret().as_bytes();
        scheme.eq_ignore_ascii_case("bearer") && bool::from(token.trim().as_bytes().ct_eq(right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn token(text: &str) -> Result<ApiToken, WrongToken> {
        ApiToken::try_from(SecretString::from(text))
    }

    #[test]
    fn a_token_is_long_and_can_stand_in_a_header() {
        for right in [TOKEN, "c2VjcmV0LXNlY3JldA==", "A-._~+/=A-._~+/="] {
            assert!(token(right).is_ok(), "{right}");
        }
        for wrong in ["", "short", "0123456789abcde f", "0123456789abcdeé", "0123456789abcdef\n"] {
            assert_eq!(token(wrong).unwrap_err(), WrongToken, "{wrong}");
        }
        assert!(token(&"a".repeat(257)).is_err());
    }

    #[test]
    fn only_the_whole_token_of_the_scheme_will_do() {
        let token = token(TOKEN).unwrap();
        let is_in = |text: &str| token.is_in(&HeaderValue::from_str(text).unwrap());
        assert!(is_in("Bearer 0123456789abcdef") && is_in("bearer  0123456789abcdef "));
        for wrong in [
            "",
            TOKEN,
            "Bearer",
            "Bearer ",
            "Basic 0123456789abcdef",
            "Bearer 0123456789abcde",
            "Bearer 0123456789abcdef0",
            "Bearer 0123456789abcdeF",
        ] {
            assert!(!is_in(wrong), "{wrong}");
        }
        assert!(!token.is_in(&HeaderValue::from_bytes(b"Bearer 0123456789abcde\xff").unwrap()));
    }

    #[test]
    fn nothing_shows_a_token() {
        let shown = format!("{:?}", token(TOKEN).unwrap());
        assert!(!shown.contains("0123"), "{shown}");
    }
}
