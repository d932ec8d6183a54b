#![doc = include_str!("../README.md")]

mod builder;
mod client;
mod error;
mod limit;
mod model;
mod retry;
mod stats;

pub use builder::{
    ClientBuilder, DEFAULT_BASE_URL, DEFAULT_CONCURRENCY, DEFAULT_CONNECT_TIMEOUT,
    DEFAULT_MAX_BODY_BYTES, DEFAULT_REQUEST_TIMEOUT,
};
pub use client::{Client, ShowPage, Since};
pub use error::Error;
pub use limit::RateLimit;
pub use model::{
    CastMember, Character, CharacterId, Country, Externals, Image, Link, Links, Network, PageIndex,
    Person, PersonId, Rating, SHOWS_PER_PAGE, Schedule, Show, ShowId,
};
pub use retry::RetryPolicy;
pub use stats::Stats;
