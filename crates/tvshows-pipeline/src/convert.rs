//! Lossless conversion of TVmaze's JSON to the domain types.
//!
//! Only an id that is missing or wrong is an error. Any other value that does not fit its field is NULL there and
//! reported as malformed.

mod cast;
mod details;
mod episode;
mod reader;
mod salvage;
mod show;

pub(crate) use cast::{TvmazeCastMember, recover_cast};
pub(crate) use details::{TvmazeDetails, recover_details};
pub(crate) use show::{TvmazeShow, recover_page, recover_show};
use tvmaze_client::ShowId as TvmazeId;
use tvshows_core::ShowId;

pub(crate) fn tvmaze_id(show: ShowId) -> TvmazeId {
    TvmazeId(show.0)
}

pub(crate) fn saturating_u32(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
