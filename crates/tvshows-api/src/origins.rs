use std::str::FromStr;

use actix_cors::Cors;
use actix_web::http::Uri;
use actix_web::http::header::{
    AUTHORIZATION, CONTENT_DISPOSITION, ETAG, HeaderName, IF_NONE_MATCH, LOCATION, RETRY_AFTER,
};

use crate::correlation::REQUEST_ID;

/// The web pages of elsewhere that a browser lets use this service.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// None: only the service's own page.
    #[default]
    None,
    /// Those of these origins.
    Some(Vec<String>),
    /// All.
    Any,
}

/// A text that is no list of origins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WrongOrigin(String);

impl std::fmt::Display for WrongOrigin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:?} is no origin; name them as https://example.org or http://localhost:3000, with commas between, or * for all",
            self.0
        )
    }
}

impl std::error::Error for WrongOrigin {}

impl FromStr for Origins {
    type Err = WrongOrigin;

    fn from_str(text: &str) -> Result<Origins, WrongOrigin> {
        match text.trim() {
            "" => Ok(Origins::None),
            "*" => Ok(Origins::Any),
            list => list
                .split(',')
                .map(|each| origin(each.trim()))
                .collect::<Result<_, _>>()
                .map(Origins::Some),
        }
    }
}

/// A browser compares origins as texts, so one with a path or a slash at its end would never match.
fn origin(text: &str) -> Result<String, WrongOrigin> {
    let uri: Option<Uri> = text.parse().ok();
    let is_origin = uri.is_some_and(|uri| {
        let scheme = uri.scheme_str().filter(|scheme| matches!(*scheme, "http" | "https"));
        let authority = uri.authority().map(|authority| authority.as_str().to_lowercase());
        scheme.zip(authority).is_some_and(|(scheme, authority)| {
            !authority.contains('@') && text == format!("{scheme}://{authority}")
        })
    });
    if is_origin { Ok(text.to_owned()) } else { Err(WrongOrigin(text.to_owned())) }
}

impl Origins {
    /// Whether pages of this origin may use the service.
    pub(crate) fn has(&self, origin: &str) -> bool {
        match self {
            Origins::None => false,
            Origins::Some(origins) => origins.iter().any(|each| each == origin),
            Origins::Any => true,
        }
    }

    /// What answers to browsers. Cookies are not used, so none are let through.
    pub(crate) fn cors(&self) -> Cors {
        let cors = match self {
            Origins::None => Cors::default(),
            Origins::Any => Cors::default().allow_any_origin().send_wildcard(),
            Origins::Some(origins) => {
                origins.iter().fold(Cors::default(), |cors, origin| cors.allowed_origin(origin))
            }
        };
        let signature = HeaderName::from_static("previous_signature");
        cors.allowed_methods(["GET", "HEAD", "POST"])
            .allowed_headers([AUTHORIZATION, IF_NONE_MATCH, signature])
            .expose_headers([ETAG, LOCATION, RETRY_AFTER, CONTENT_DISPOSITION, REQUEST_ID])
            .max_age(3600)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_listed_as_browsers_write_them() {
        assert_eq!("".parse(), Ok(Origins::None));
        assert_eq!("*".parse(), Ok(Origins::Any));
        let some = vec!["https://a.example".to_owned(), "http://localhost:3000".to_owned()];
        assert_eq!("https://a.example, http://localhost:3000".parse(), Ok(Origins::Some(some)));
        for wrong in [
            "a.example",
            "https://a.example/",
            "https://A.example",
            "ftp://a",
            "https://u@a",
            "null",
            ",",
        ] {
            assert!(wrong.parse::<Origins>().is_err(), "{wrong}");
        }
    }
}
