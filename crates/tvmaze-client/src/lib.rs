#![doc = include_str!("../README.md")]
#![warn(missing_docs)]

mod builder;
mod client;
mod decode;
mod endpoints;
mod error;
mod execute;
mod metrics;
mod model;
mod rate_limit;
mod redirect;
mod request;
mod retry;
mod stats;

// Types of these crates are in the public API.
pub use jiff;
pub use reqwest::{self, StatusCode, Url};

pub use builder::{
    ClientBuilder, DEFAULT_BASE_URL, DEFAULT_CALL_TIMEOUT, DEFAULT_CONCURRENCY,
    DEFAULT_CONNECT_TIMEOUT, DEFAULT_MAX_BODY_BYTES, DEFAULT_REQUEST_TIMEOUT,
};
pub use client::Client;
pub use endpoints::{
    ExternalId, PeoplePage, ScheduleRequest, ShowPage, Since, Updates, WebScheduleRequest,
};
pub use error::{Error, RequestContext};
pub use model::{
    Aka, AlternateEpisode, AlternateEpisodeId, AlternateList, AlternateListId, CastCredit,
    CastMember, Character, CharacterId, Country, CrewCredit, CrewMember, Embed, Episode, EpisodeId,
    Externals, GuestCastCredit, Image, ImageId, Link, Links, Network, NetworkId, PEOPLE_PER_PAGE,
    PageIndex, Person, PersonId, Rating, Resolution, Resolutions, SHOWS_PER_PAGE, Schedule,
    ScheduledEpisode, ScoredPerson, ScoredShow, Season, SeasonId, Show, ShowId, ShowImage,
    WithEmbedded, embed, plain_text,
};
pub use rate_limit::RateLimit;
pub use request::Request;
pub use retry::RetryPolicy;
pub use stats::Stats;

/// Exposed for fuzzing.
#[cfg(fuzzing)]
#[doc(hidden)]
#[must_use]
pub fn parse_retry_after(text: &str, now: std::time::SystemTime) -> Option<std::time::Duration> {
    retry::parse_retry_after(text, now)
}
