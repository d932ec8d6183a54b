mod cast;
mod id;
mod show;

pub use cast::{CastMember, Character, Person};
pub use id::{CharacterId, PageIndex, PersonId, SHOWS_PER_PAGE, ShowId};
pub use show::{Country, Externals, Image, Link, Links, Network, Rating, Schedule, Show};
