use jiff::Timestamp;
use jiff::civil::{Date, Time};

use super::codec::WholeOrFraction;
use super::faithful::faithful;
use super::id::ShowId;
use super::image::Image;
use super::link::Links;
use super::moment::{Text, UnixSeconds};
use super::network::{Country, Network};
use super::summary;

faithful! {
    /// A show as the index, `/shows/:id` and the searches send it.
    ///
    /// Only `id` and `name` are always there.
    pub struct Show {
        /// TVmaze's number.
        "id" => id: ShowId,
        /// The page about the show on tvmaze.com.
        "url" => url: Option<String>,
        /// The name; several shows may share it.
        "name" => name: String,
        /// `Scripted`, `Reality`, `Animation`, …
        "type" => kind: Option<String>,
        /// The language's English name.
        "language" => language: Option<String>,
        /// May be empty.
        "genres" => genres: Vec<String>,
        /// `Running`, `Ended`, `To Be Determined`, `In Development`.
        "status" => status: Option<String>,
        /// Minutes an episode is scheduled for.
        "runtime" => runtime: Option<i64>,
        /// Minutes an episode lasts on average.
        "averageRuntime" => average_runtime: Option<i64>,
        /// The first broadcast.
        "premiered" => premiered: Option<Date> as Text,
        /// The last broadcast.
        "ended" => ended: Option<Date> as Text,
        /// The show's own site.
        "officialSite" => official_site: Option<String>,
        /// When it is broadcast.
        "schedule" => schedule: Option<Schedule>,
        /// What users think of it.
        "rating" => rating: Option<Rating>,
        /// TVmaze's measure of popularity, 0 to 100. Drifts without a change of `updated`.
        "weight" => weight: Option<i64>,
        /// The broadcaster.
        "network" => network: Option<Network>,
        /// The streaming service.
        "webChannel" => web_channel: Option<Network>,
        /// The country of the first DVD, where nothing else tells the show's country.
        "dvdCountry" => dvd_country: Option<Country>,
        /// Its ids elsewhere.
        "externals" => externals: Option<Externals>,
        /// The poster.
        "image" => image: Option<Image>,
        /// HTML; see [`summary_text`](Show::summary_text).
        "summary" => summary: Option<String>,
        /// The last change to the show or to a child of it, such as an episode or a cast row.
        "updated" => updated: Option<Timestamp> as UnixSeconds,
        /// HAL links.
        "_links" => links: Option<Box<Links>>,
    }
}

impl Show {
    /// The summary as [`plain_text`](crate::plain_text) makes it; `None` where it is blank.
    #[must_use]
    pub fn summary_text(&self) -> Option<String> {
        summary::text(self.summary.as_deref())
    }
}

faithful! {
    /// When a show is broadcast.
    pub struct Schedule {
        /// In the network's time zone.
        "time" => time: Option<Time> as Text,
        /// English names of weekdays; may be empty.
        "days" => days: Vec<String>,
    }
}

faithful! {
    /// What users think of a show or an episode.
    pub struct Rating {
        /// 0 to 10 with at most one decimal. Drifts without a change of the show's `updated`.
        "average" => average: Option<f64> as WholeOrFraction,
    }
}

faithful! {
    /// A show's ids elsewhere.
    pub struct Externals {
        /// TVRage, which is no more.
        "tvrage" => tvrage: Option<i64>,
        /// TheTVDB.
        "thetvdb" => thetvdb: Option<i64>,
        /// IMDb, `tt` and digits.
        "imdb" => imdb: Option<String>,
    }
}

faithful! {
    /// A name of a show in another country.
    pub struct Aka {
        /// The name.
        "name" => name: String,
        /// `None` for a name that belongs to no country.
        "country" => country: Option<Country>,
    }
}
