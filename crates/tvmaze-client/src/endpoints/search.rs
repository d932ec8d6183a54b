use crate::{Client, Request, ScoredPerson, ScoredShow, Show};

/// A show's id in another database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExternalId {
    /// IMDb: `tt` and digits.
    Imdb(String),
    /// TheTVDB.
    TheTvdb(u32),
    /// TVRage, which is no more.
    TvRage(u32),
}

/// Searches.
impl Client {
    /// The shows, ten at most, whose names are most like `name`, best match first; typos are forgiven.
    pub fn search_shows(&self, name: &str) -> Request<Vec<ScoredShow>> {
        Request::new(self, "/search/shows").query("q", name)
    }

    /// The one show whose name is like `name`, if any is; fewer typos are forgiven.
    pub fn single_search(&self, name: &str) -> Request<Option<Show>> {
        Request::new(self, "/singlesearch/shows").query("q", name)
    }

    /// The show with an id of another database, if TVmaze knows one. The redirect to it is followed,
    /// and TVmaze counts it as a second request.
    pub fn lookup(&self, id: &ExternalId) -> Request<Option<Show>> {
        let request = Request::new(self, "/lookup/shows");
        match id {
            ExternalId::Imdb(id) => request.query("imdb", id),
            ExternalId::TheTvdb(id) => request.query("thetvdb", id),
            ExternalId::TvRage(id) => request.query("tvrage", id),
        }
    }

    /// The people, ten at most, whose names are most like `name`, best match first.
    pub fn search_people(&self, name: &str) -> Request<Vec<ScoredPerson>> {
        Request::new(self, "/search/people").query("q", name)
    }
}
