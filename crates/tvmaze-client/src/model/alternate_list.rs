use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::date_time::AsText;
use super::id::{AlternateEpisodeId, AlternateListId};
use super::link::Links;
use super::lossless::lossless;
use super::network::Network;

lossless! {
    /// An alternate order or numbering of a show's episodes, such as that of its DVDs.
    ///
    /// The flags describe the list; usually one of them is set.
    pub struct AlternateList {
        /// TVmaze's id.
        "id" => id: AlternateListId,
        /// The page about the list on tvmaze.com.
        "url" => url: Option<String>,
        /// Ordered as on DVD.
        "dvd_release" => dvd_release: Option<bool>,
        /// Numbered as in the episodes' credits.
        "verbatim_order" => verbatim_order: Option<bool>,
        /// Ordered as first broadcast in another country.
        "country_premiere" => country_premiere: Option<bool>,
        /// Ordered as first streamed.
        "streaming_premiere" => streaming_premiere: Option<bool>,
        /// Ordered as first broadcast.
        "broadcast_premiere" => broadcast_premiere: Option<bool>,
        /// Ordered as first shown in another language.
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

lossless! {
    /// An episode of an [`AlternateList`]. It corresponds to one or more of the show's own episodes.
    pub struct AlternateEpisode {
        /// TVmaze's id.
        "id" => id: AlternateEpisodeId,
        /// The page about the episode on tvmaze.com.
        "url" => url: Option<String>,
        /// The title.
        "name" => name: Option<String>,
        /// The season number in the list.
        "season" => season: Option<i64>,
        /// The number within the season; `None` for a special.
        "number" => number: Option<i64>,
        /// `regular`, `significant_special` or `insignificant_special`.
        "type" => kind: Option<String>,
        /// The broadcast date in the network's time zone.
        "airdate" => airdate: Option<Date> as AsText,
        /// The broadcast time in the network's time zone.
        "airtime" => airtime: Option<Time> as AsText,
        /// The timestamp of the broadcast.
        "airstamp" => airstamp: Option<Timestamp> as AsText,
        /// The runtime in minutes.
        "runtime" => runtime: Option<i64>,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}
