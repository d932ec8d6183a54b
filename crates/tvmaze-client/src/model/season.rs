use jiff::civil::Date;

use super::date_time::AsText;
use super::id::SeasonId;
use super::image::Image;
use super::link::Links;
use super::lossless::lossless;
use super::network::Network;
use super::summary;

lossless! {
    /// A season of a show.
    pub struct Season {
        /// TVmaze's id.
        "id" => id: SeasonId,
        /// The page about the season on tvmaze.com.
        "url" => url: Option<String>,
        /// The season number; a year for some shows.
        "number" => number: Option<i64>,
        /// The name; empty for most seasons.
        "name" => name: Option<String>,
        /// The number of episodes ordered.
        "episodeOrder" => episode_order: Option<i64>,
        /// The date of the first broadcast.
        "premiereDate" => premiere_date: Option<Date> as AsText,
        /// The date of the last broadcast.
        "endDate" => end_date: Option<Date> as AsText,
        /// The broadcaster.
        "network" => network: Option<Network>,
        /// The streaming service.
        "webChannel" => web_channel: Option<Network>,
        /// The poster.
        "image" => image: Option<Image>,
        /// HTML; see [`summary_text`](Season::summary_text).
        "summary" => summary: Option<String>,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}

impl Season {
    /// The summary as [`plain_text`](crate::plain_text); `None` if it is empty.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::to_plain_text(self.summary.as_deref())
    }
}
