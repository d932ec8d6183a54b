//! What can be asked: the endpoints of <https://www.tvmaze.com/api>, a file a topic.

mod alternate;
mod episodes;
mod index;
mod people;
mod schedule;
mod search;
mod shows;
mod updates;

pub use index::{PeoplePage, ShowPage};
pub use schedule::{ScheduleRequest, WebScheduleRequest};
pub use search::ExternalId;
pub use updates::{Since, Updates};
