use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::faithful::faithful;
use super::id::EpisodeId;
use super::image::Image;
use super::link::Links;
use super::moment::Text;
use super::show::Rating;
use super::summary;

faithful! {
    /// An episode.
    pub struct Episode {
        /// TVmaze's number.
        "id" => id: EpisodeId,
        /// The page about the episode on tvmaze.com.
        "url" => url: Option<String>,
        /// The title.
        "name" => name: String,
        /// The season's number; a year for some shows.
        "season" => season: Option<i64>,
        /// The place in the season; `None` for a special.
        "number" => number: Option<i64>,
        /// `regular`, `significant_special`, `insignificant_special`; absent in old answers.
        "type" => kind: Option<String>,
        /// The day it is broadcast, in the network's time zone.
        "airdate" => airdate: Option<Date> as Text,
        /// The time it is broadcast, in the network's time zone.
        "airtime" => airtime: Option<Time> as Text,
        /// The moment it is broadcast.
        "airstamp" => airstamp: Option<Timestamp> as Text,
        /// Minutes.
        "runtime" => runtime: Option<i64>,
        /// What users think of it; absent in old answers.
        "rating" => rating: Option<Rating>,
        /// A scene.
        "image" => image: Option<Image>,
        /// HTML; see [`summary_text`](Episode::summary_text).
        "summary" => summary: Option<String>,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}

impl Episode {
    /// The summary as [`plain_text`](crate::plain_text) makes it; `None` where it is blank.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::text(self.summary.as_deref())
    }
}
