//! Decides which redirects are followed.

use std::error::Error;
use std::fmt;
use std::iter::successors;

use reqwest::Url;
use reqwest::redirect::Policy;

/// TVmaze's lookup sends one redirect.
const MAX_REDIRECTS: usize = 5;

/// The policy of the client's own HTTP client.
pub(crate) fn policy(allow_cross_origin: bool) -> Policy {
    Policy::custom(move |attempt| {
        let is_same_origin =
            attempt.previous().last().is_some_and(|from| from.origin() == attempt.url().origin());
        if is_same_origin || allow_cross_origin {
            return Policy::limited(MAX_REDIRECTS).redirect(attempt);
        }
        let rejected = CrossOrigin(attempt.url().clone());
        attempt.error(rejected)
    })
}

/// The URL of the redirect that the policy has rejected.
pub(crate) fn rejected_location(error: &reqwest::Error) -> Option<&Url> {
    let first: &(dyn Error + 'static) = error;
    successors(Some(first), |&error| error.source())
        .find_map(|error| error.downcast_ref::<CrossOrigin>())
        .map(|CrossOrigin(location)| location)
}

#[derive(Debug)]
struct CrossOrigin(Url);

impl fmt::Display for CrossOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "redirect to another origin, {}", self.0)
    }
}

impl Error for CrossOrigin {}
