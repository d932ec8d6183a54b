use crate::{CastMember, Client, CrewMember, Episode, EpisodeId, Request};

/// Episodes.
impl Client {
    /// Gets an episode.
    pub fn episode(&self, id: EpisodeId) -> Request<Episode> {
        Request::new(self, format!("/episodes/{id}"))
    }

    /// Lists the guest cast of an episode.
    pub fn guest_cast(&self, episode: EpisodeId) -> Request<Vec<CastMember>> {
        Request::new(self, format!("/episodes/{episode}/guestcast"))
    }

    /// Lists the guest crew of an episode.
    pub fn guest_crew(&self, episode: EpisodeId) -> Request<Vec<CrewMember>> {
        Request::new(self, format!("/episodes/{episode}/guestcrew"))
    }
}
