use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::date_time::AsText;
use super::id::EpisodeId;
use super::image::Image;
use super::link::Links;
use super::lossless::lossless;
use super::show::Rating;
use super::summary;

lossless! {
    /// An episode.
    pub struct Episode {
        /// TVmaze's id.
        "id" => id: EpisodeId,
        /// The page about the episode on tvmaze.com.
        "url" => url: Option<String>,
        /// The title.
        "name" => name: String,
        /// The season number; a year for some shows.
        "season" => season: Option<i64>,
        /// The number within the season; `None` for a special.
        "number" => number: Option<i64>,
        /// `regular`, `significant_special` or `insignificant_special`; absent in old responses.
        "type" => kind: Option<String>,
        /// The broadcast date in the network's time zone.
        "airdate" => airdate: Option<Date> as AsText,
        /// The broadcast time in the network's time zone.
        "airtime" => airtime: Option<Time> as AsText,
        /// The timestamp of the broadcast.
        "airstamp" => airstamp: Option<Timestamp> as AsText,
        /// The runtime in minutes.
        "runtime" => runtime: Option<i64>,
        /// The user rating; absent in old responses.
        "rating" => rating: Option<Rating>,
        /// A still image.
        "image" => image: Option<Image>,
        /// HTML; see [`summary_text`](Episode::summary_text).
        "summary" => summary: Option<String>,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}

impl Episode {
    /// The summary as [`plain_text`](crate::plain_text); `None` if it is empty.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::to_plain_text(self.summary.as_deref())
    }
}
