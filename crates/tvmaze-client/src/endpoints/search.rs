use crate::{Client, Request, ScoredPerson, ScoredShow, Show};

/// A show's id in another database.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExternalId {
    /// IMDb: `tt` followed by digits.
    Imdb(String),
    /// TheTVDB.
    TheTvdb(u32),
    /// TVRage, which no longer exists.
    TvRage(u32),
}

/// Search and lookup.
impl Client {
    /// Finds up to ten shows by name, best match first. Tolerates typos.
    pub fn search_shows(&self, name: &str) -> Request<Vec<ScoredShow>> {
        Request::new(self, "/search/shows").query("q", name)
    }

    /// Finds the show that best matches `name`, if any. Tolerates fewer typos than
    /// [`search_shows`](Client::search_shows).
    pub fn single_search(&self, name: &str) -> Request<Option<Show>> {
        Request::new(self, "/singlesearch/shows").query("q", name)
    }

    /// Finds a show by its id in another database. TVmaze redirects to the show, and counts the
    /// redirect as a second request.
    pub fn lookup(&self, id: &ExternalId) -> Request<Option<Show>> {
        let request = Request::new(self, "/lookup/shows");
        match id {
            ExternalId::Imdb(id) => request.query("imdb", id),
            ExternalId::TheTvdb(id) => request.query("thetvdb", id),
            ExternalId::TvRage(id) => request.query("tvrage", id),
        }
    }

    /// Finds up to ten people by name, best match first.
    pub fn search_people(&self, name: &str) -> Request<Vec<ScoredPerson>> {
        Request::new(self, "/search/people").query("q", name)
    }
}
