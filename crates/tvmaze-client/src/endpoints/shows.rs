use jiff::civil::Date;

use crate::{
    Aka, CastMember, Client, CrewMember, Episode, Request, Season, SeasonId, Show, ShowId,
    ShowImage,
};

/// Shows and their parts.
///
/// An unknown or deleted id is an error for which [`is_not_found`](crate::Error::is_not_found)
/// returns true.
impl Client {
    /// Gets a show.
    ///
    /// TVmaze redirects the id of a show that was merged into another one, so the result can have another
    /// id than `id`, unless the request [rejects that](Request::reject_moved). The same applies to the
    /// parts of a show.
    pub fn show(&self, id: ShowId) -> Request<Show> {
        Request::new(self, format!("/shows/{id}"))
    }

    /// Lists the episodes of a show without specials, in broadcast order.
    pub fn episodes(&self, show: ShowId) -> Request<Vec<Episode>> {
        Request::new(self, format!("/shows/{show}/episodes"))
    }

    /// Lists the episodes of a show including specials, in broadcast order.
    pub fn episodes_and_specials(&self, show: ShowId) -> Request<Vec<Episode>> {
        self.episodes(show).query("specials", 1)
    }

    /// Finds an episode by its number; `None` if the episode or the show does not exist.
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

    /// Lists the episodes broadcast on a day; `None` if there are none or the show does not exist.
    pub fn episodes_by_date(&self, show: ShowId, date: Date) -> Request<Option<Vec<Episode>>> {
        Request::new(self, format!("/shows/{show}/episodesbydate")).query("date", date)
    }

    /// Lists the seasons of a show, in order.
    pub fn seasons(&self, show: ShowId) -> Request<Vec<Season>> {
        Request::new(self, format!("/shows/{show}/seasons"))
    }

    /// Lists the episodes of a season, including specials.
    pub fn season_episodes(&self, season: SeasonId) -> Request<Vec<Episode>> {
        Request::new(self, format!("/seasons/{season}/episodes"))
    }

    /// Lists the cast of a show, in TVmaze's order of importance; empty if unknown.
    pub fn cast(&self, show: ShowId) -> Request<Vec<CastMember>> {
        Request::new(self, format!("/shows/{show}/cast"))
    }

    /// Lists the crew of a show; empty if unknown.
    pub fn crew(&self, show: ShowId) -> Request<Vec<CrewMember>> {
        Request::new(self, format!("/shows/{show}/crew"))
    }

    /// Lists the names of a show in other countries.
    pub fn akas(&self, show: ShowId) -> Request<Vec<Aka>> {
        Request::new(self, format!("/shows/{show}/akas"))
    }

    /// Lists the posters, banners and backgrounds of a show.
    pub fn images(&self, show: ShowId) -> Request<Vec<ShowImage>> {
        Request::new(self, format!("/shows/{show}/images"))
    }
}
