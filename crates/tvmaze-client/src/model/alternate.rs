use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::faithful::faithful;
use super::id::{AlternateEpisodeId, AlternateListId};
use super::link::Links;
use super::moment::Text;
use super::network::Network;

faithful! {
    /// Another order or numbering of a show's episodes, such as that of its DVDs.
    ///
    /// The flags say what the list is; usually one of them is set.
    pub struct AlternateList {
        /// TVmaze's number.
        "id" => id: AlternateListId,
        /// The page about the list on tvmaze.com.
        "url" => url: Option<String>,
        /// As on the DVDs.
        "dvd_release" => dvd_release: Option<bool>,
        /// As the episodes are numbered in their credits.
        "verbatim_order" => verbatim_order: Option<bool>,
        /// As first broadcast in another country.
        "country_premiere" => country_premiere: Option<bool>,
        /// As first streamed.
        "streaming_premiere" => streaming_premiere: Option<bool>,
        /// As first broadcast.
        "broadcast_premiere" => broadcast_premiere: Option<bool>,
        /// As first shown in another language.
        "language_premiere" => language_premiere: Option<bool>,
        /// The language's English name, for a premiere in another language.
        "language" => language: Option<String>,
        /// The broadcaster of the premiere.
        "network" => network: Option<Network>,
        /// The streaming service of the premiere.
        "webChannel" => web_channel: Option<Network>,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}

faithful! {
    /// An episode of an [`AlternateList`]; it stands for one or more of the show's own.
    pub struct AlternateEpisode {
        /// TVmaze's number.
        "id" => id: AlternateEpisodeId,
        /// The page about the episode on tvmaze.com.
        "url" => url: Option<String>,
        /// The title.
        "name" => name: Option<String>,
        /// The season's number in the list.
        "season" => season: Option<i64>,
        /// The place in the season; `None` for a special.
        "number" => number: Option<i64>,
        /// `regular`, `significant_special`, `insignificant_special`.
        "type" => kind: Option<String>,
        /// The day it is broadcast, in the network's time zone.
        "airdate" => airdate: Option<Date> as Text,
        /// The time it is broadcast, in the network's time zone.
        "airtime" => airtime: Option<Time> as Text,
        /// The moment it is broadcast.
        "airstamp" => airstamp: Option<Timestamp> as Text,
        /// Minutes.
        "runtime" => runtime: Option<i64>,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}
