use std::fmt;

use actix_web::http::header::HeaderValue;
use secrecy::{ExposeSecret, SecretString};
use subtle::ConstantTimeEq;

/// A shorter token could be guessed.
const MIN_LENGTH: usize = 16;
const MAX_LENGTH: usize = 256;

/// The bearer token that state-changing requests require. Neither its `Debug` output nor any error reveals it.
#[derive(Debug, Clone)]
pub struct ApiToken(SecretString);

/// The text cannot be used as an API token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InvalidApiToken;

impl fmt::Display for InvalidApiToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "must have {MIN_LENGTH} to {MAX_LENGTH} characters, each an ASCII letter, a digit or one of -._~+/=; \
             generate one with `openssl rand -hex 32`"
        )
    }
}

impl std::error::Error for InvalidApiToken {}

impl TryFrom<SecretString> for ApiToken {
    type Error = InvalidApiToken;

    fn try_from(text: SecretString) -> Result<ApiToken, InvalidApiToken> {
        let token = text.expose_secret();
        // The characters that RFC 6750 allows in a bearer token.
        let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~+/=".contains(&byte);
        if (MIN_LENGTH..=MAX_LENGTH).contains(&token.len()) && token.bytes().all(is_allowed) {
            Ok(ApiToken(text))
        } else {
            Err(InvalidApiToken)
        }
    }
}

impl ApiToken {
    /// Whether an `Authorization` header is `Bearer` with this token. Compares in constant time.
    pub(crate) fn matches_header(&self, authorization: &HeaderValue) -> bool {
        let text = authorization.to_str().unwrap_or_default();
        let Some((scheme, token)) = text.split_once(' ') else { return false };
        let expected = self.0.expose_secret().as_bytes();
        scheme.eq_ignore_ascii_case("bearer") && bool::from(token.trim().as_bytes().ct_eq(expected))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "0123456789abcdef";

    fn token(text: &str) -> Result<ApiToken, InvalidApiToken> {
        ApiToken::try_from(SecretString::from(text))
    }

    #[test]
    fn a_token_is_long_and_can_stand_in_a_header() {
        for valid in [TOKEN, "c2VjcmV0LXNlY3JldA==", "A-._~+/=A-._~+/="] {
            assert!(token(valid).is_ok(), "{valid}");
        }
        for wrong in ["", "short", "0123456789abcde f", "0123456789abcdeé", "0123456789abcdef\n"] {
            assert_eq!(token(wrong).unwrap_err(), InvalidApiToken, "{wrong}");
        }
        assert!(token(&"a".repeat(257)).is_err());
    }

    #[test]
    fn only_the_whole_token_of_the_scheme_will_do() {
        let token = token(TOKEN).unwrap();
        let matches = |text: &str| token.matches_header(&HeaderValue::from_str(text).unwrap());
        assert!(matches("Bearer 0123456789abcdef") && matches("bearer  0123456789abcdef "));
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
            assert!(!matches(wrong), "{wrong}");
        }
        assert!(
            !token.matches_header(&HeaderValue::from_bytes(b"Bearer 0123456789abcde\xff").unwrap())
        );
    }

    #[test]
    fn nothing_shows_a_token() {
        let shown = format!("{:?}", token(TOKEN).unwrap());
        assert!(!shown.contains("0123"), "{shown}");
    }
}
