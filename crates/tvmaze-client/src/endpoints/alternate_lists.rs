use crate::{AlternateEpisode, AlternateList, AlternateListId, Client, Request, ShowId};

/// Alternate orders of a show's episodes, such as that of its DVDs.
impl Client {
    /// Lists the alternate lists of a show.
    pub fn alternate_lists(&self, show: ShowId) -> Request<Vec<AlternateList>> {
        Request::new(self, format!("/shows/{show}/alternatelists"))
    }

    /// Gets an alternate list.
    pub fn alternate_list(&self, id: AlternateListId) -> Request<AlternateList> {
        Request::new(self, format!("/alternatelists/{id}"))
    }

    /// Lists the episodes of an alternate list. Embed [`Episodes`](crate::embed::Episodes) to get the
    /// show's own episodes that they correspond to.
    pub fn alternate_episodes(&self, list: AlternateListId) -> Request<Vec<AlternateEpisode>> {
        Request::new(self, format!("/alternatelists/{list}/alternateepisodes"))
    }
}
