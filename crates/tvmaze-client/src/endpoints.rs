//! The endpoints of <https://www.tvmaze.com/api>, one file per topic.

mod alternate_lists;
mod episodes;
mod pages;
mod people;
mod schedule;
mod search;
mod shows;
mod updates;

pub use pages::{PeoplePage, ShowPage};
pub use schedule::{ScheduleRequest, WebScheduleRequest};
pub use search::ExternalId;
pub use updates::{Since, Updates};
