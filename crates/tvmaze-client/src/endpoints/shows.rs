use jiff::civil::Date;

use crate::{
    Aka, CastMember, Client, CrewMember, Episode, Request, Season, SeasonId, Show, ShowId,
    ShowImage,
};

/// Shows, and what belongs to one.
///
/// An id that does not exist, or no longer, is an error for which
/// [`is_not_found`](crate::Error::is_not_found) holds.
impl Client {
    /// A show.
    pub fn show(&self, id: ShowId) -> Request<Show> {
        Request::new(self, format!("/shows/{id}"))
    }

    /// The episodes of a show in the order of their broadcast, specials excepted.
    pub fn episodes(&self, show: ShowId) -> Request<Vec<Episode>> {
        Request::new(self, format!("/shows/{show}/episodes"))
    }

    /// The episodes of a show in the order of their broadcast, specials among them.
    pub fn episodes_and_specials(&self, show: ShowId) -> Request<Vec<Episode>> {
        self.episodes(show).query("specials", 1)
    }

    /// An episode by its number; `None` where there is none, or no such show.
    pub fn episode_by_number(
        &self,
        show: ShowId,
        season: u32,
        number: u32,
    ) -> Request<Option<Episode>> {
        Request::new(self, format!("/shows/{show}/episodebynumber"))
            .query("season", season)
            .query("number", number)
    }

    /// The episodes that are broadcast on a day; `None` where there are none, or no such show.
    pub fn episodes_by_date(&self, show: ShowId, date: Date) -> Request<Option<Vec<Episode>>> {
        Request::new(self, format!("/shows/{show}/episodesbydate")).query("date", date)
    }

    /// The seasons of a show, the first one first.
    pub fn seasons(&self, show: ShowId) -> Request<Vec<Season>> {
        Request::new(self, format!("/shows/{show}/seasons"))
    }

    /// The episodes of a season, specials among them.
    pub fn season_episodes(&self, season: SeasonId) -> Request<Vec<Episode>> {
        Request::new(self, format!("/seasons/{season}/episodes"))
    }

    /// The cast of a show, in TVmaze's order of importance; empty where none is known.
    pub fn cast(&self, show: ShowId) -> Request<Vec<CastMember>> {
        Request::new(self, format!("/shows/{show}/cast"))
    }

    /// The crew of a show; empty where none is known.
    pub fn crew(&self, show: ShowId) -> Request<Vec<CrewMember>> {
        Request::new(self, format!("/shows/{show}/crew"))
    }

    /// The names of a show in other countries.
    pub fn akas(&self, show: ShowId) -> Request<Vec<Aka>> {
        Request::new(self, format!("/shows/{show}/akas"))
    }

    /// Posters, banners and backgrounds of a show.
    pub fn images(&self, show: ShowId) -> Request<Vec<ShowImage>> {
        Request::new(self, format!("/shows/{show}/images"))
    }
}
