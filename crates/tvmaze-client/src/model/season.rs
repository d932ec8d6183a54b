use jiff::civil::Date;

use super::faithful::faithful;
use super::id::SeasonId;
use super::image::Image;
use super::link::Links;
use super::moment::Text;
use super::network::Network;
use super::summary;

faithful! {
    /// A season of a show.
    pub struct Season {
        /// TVmaze's number.
        "id" => id: SeasonId,
        /// The page about the season on tvmaze.com.
        "url" => url: Option<String>,
        /// Its number in the show; a year for some shows.
        "number" => number: Option<i64>,
        /// Empty for most seasons.
        "name" => name: Option<String>,
        /// How many episodes are ordered.
        "episodeOrder" => episode_order: Option<i64>,
        /// The first broadcast.
        "premiereDate" => premiere_date: Option<Date> as Text,
        /// The last broadcast.
        "endDate" => end_date: Option<Date> as Text,
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
    /// The summary as [`plain_text`](crate::plain_text) makes it; `None` where it is blank.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::text(self.summary.as_deref())
    }
}
