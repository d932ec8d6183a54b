use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::codec::CompactFloat;
use super::date_time::{AsText, UnixSeconds};
use super::id::ShowId;
use super::image::Image;
use super::link::Links;
use super::lossless::lossless;
use super::network::{Country, Network};
use super::summary;

lossless! {
    /// A show as returned by the index, `/shows/:id` and searches.
    ///
    /// Only `id` and `name` are always present.
    pub struct Show {
        /// TVmaze's id.
        "id" => id: ShowId,
        /// The page about the show on tvmaze.com.
        "url" => url: Option<String>,
        /// The name; not unique.
        "name" => name: String,
        /// `Scripted`, `Reality`, `Animation`, …
        "type" => kind: Option<String>,
        /// The language's English name.
        "language" => language: Option<String>,
        /// The genres; may be empty.
        "genres" => genres: Vec<String>,
        /// `Running`, `Ended`, `To Be Determined` or `In Development`.
        "status" => status: Option<String>,
        /// The scheduled runtime of an episode in minutes.
        "runtime" => runtime: Option<i64>,
        /// The average runtime of an episode in minutes.
        "averageRuntime" => average_runtime: Option<i64>,
        /// The date of the first broadcast.
        "premiered" => premiered: Option<Date> as AsText,
        /// The date of the last broadcast.
        "ended" => ended: Option<Date> as AsText,
        /// The show's official website.
        "officialSite" => official_site: Option<String>,
        /// The broadcast schedule.
        "schedule" => schedule: Option<Schedule>,
        /// The user rating.
        "rating" => rating: Option<Rating>,
        /// TVmaze's popularity score, 0 to 100. Changes without a change of `updated`.
        "weight" => weight: Option<i64>,
        /// The broadcaster.
        "network" => network: Option<Network>,
        /// The streaming service.
        "webChannel" => web_channel: Option<Network>,
        /// The country of the first DVD release, for shows whose country is not known otherwise.
        "dvdCountry" => dvd_country: Option<Country>,
        /// The show's ids in other databases.
        "externals" => externals: Option<Externals>,
        /// The poster.
        "image" => image: Option<Image>,
        /// HTML; see [`summary_text`](Show::summary_text).
        "summary" => summary: Option<String>,
        /// The time of the last update of the show or a part of it, such as an episode or a cast entry.
        "updated" => updated: Option<Timestamp> as UnixSeconds,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}

impl Show {
    /// The summary as [`plain_text`](crate::plain_text); `None` if it is empty.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::to_plain_text(self.summary.as_deref())
    }
}

lossless! {
    /// The broadcast schedule of a show.
    pub struct Schedule {
        /// The time of day in the network's time zone.
        "time" => time: Option<Time> as AsText,
        /// English weekday names; may be empty.
        "days" => days: Vec<String>,
    }
}

lossless! {
    /// The user rating of a show or an episode.
    pub struct Rating {
        /// 0 to 10, with at most one decimal. Changes without a change of the show's `updated`.
        "average" => average: Option<f64> as CompactFloat,
    }
}

lossless! {
    /// A show's ids in other databases.
    pub struct Externals {
        /// The TVRage id. TVRage no longer exists.
        "tvrage" => tvrage: Option<i64>,
        /// The TheTVDB id.
        "thetvdb" => thetvdb: Option<i64>,
        /// The IMDb id: `tt` followed by digits.
        "imdb" => imdb: Option<String>,
    }
}

lossless! {
    /// A name of a show in another country.
    pub struct Aka {
        /// The name.
        "name" => name: String,
        /// `None` for a name that is not specific to a country.
        "country" => country: Option<Country>,
    }
}
