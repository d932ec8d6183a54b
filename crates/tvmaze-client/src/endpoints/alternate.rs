use crate::{AlternateEpisode, AlternateList, AlternateListId, Client, Request, ShowId};

/// Other orders of a show's episodes.
impl Client {
    /// The alternate lists of a show.
    pub fn alternate_lists(&self, show: ShowId) -> Request<Vec<AlternateList>> {
        Request::new(self, format!("/shows/{show}/alternatelists"))
    }

    /// An alternate list.
    pub fn alternate_list(&self, id: AlternateListId) -> Request<AlternateList> {
        Request::new(self, format!("/alternatelists/{id}"))
    }

    /// The episodes of an alternate list; embed [`Episodes`](crate::embed::Episodes) for the show's
    /// own ones that they stand for.
    pub fn alternate_episodes(&self, list: AlternateListId) -> Request<Vec<AlternateEpisode>> {
        Request::new(self, format!("/alternatelists/{list}/alternateepisodes"))
    }
}
