mod alternate;
mod cast;
mod codec;
mod credit;
pub mod embed;
mod episode;
mod faithful;
mod field;
mod id;
mod image;
mod link;
mod moment;
mod network;
mod person;
mod scheduled;
mod search;
mod season;
mod show;
mod summary;
mod with;

pub use alternate::{AlternateEpisode, AlternateList};
pub use cast::{CastMember, CrewMember};
pub use credit::{CastCredit, CrewCredit, GuestCastCredit};
pub use embed::Embed;
pub use episode::Episode;
pub(crate) use faithful::Model;
pub use id::{
    AlternateEpisodeId, AlternateListId, CharacterId, EpisodeId, ImageId, NetworkId,
    PEOPLE_PER_PAGE, PageIndex, PersonId, SHOWS_PER_PAGE, SeasonId, ShowId,
};
pub use image::{Image, Resolution, Resolutions, ShowImage};
pub use link::{Link, Links};
pub use network::{Country, Network};
pub use person::{Character, Person};
pub use scheduled::ScheduledEpisode;
pub use search::{ScoredPerson, ScoredShow};
pub use season::Season;
pub use show::{Aka, Externals, Rating, Schedule, Show};
pub use summary::plain_text;
pub use with::With;
