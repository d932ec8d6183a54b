mod alternate_list;
mod cast;
mod credit;
mod date_time;
pub mod embed;
mod embedded;
mod episode;
mod id;
mod image;
mod link;
mod network;
mod person;
mod scheduled;
mod search;
mod season;
mod show;
mod summary;

pub use alternate_list::{AlternateEpisode, AlternateList};
pub use cast::{CastMember, CrewMember};
pub use credit::{CastCredit, CrewCredit, GuestCastCredit};
pub use embed::Embed;
pub(crate) use embed::EmbedMarker;
pub(crate) use embedded::Model;
pub use embedded::WithEmbedded;
pub use episode::Episode;
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
