use crate::{CastMember, Client, CrewMember, Episode, EpisodeId, Request};

/// Single episodes.
impl Client {
    /// An episode.
    pub fn episode(&self, id: EpisodeId) -> Request<Episode> {
        Request::new(self, format!("/episodes/{id}"))
    }

    /// The guest cast of an episode.
    pub fn guest_cast(&self, episode: EpisodeId) -> Request<Vec<CastMember>> {
        Request::new(self, format!("/episodes/{episode}/guestcast"))
    }

    /// The guest crew of an episode.
    pub fn guest_crew(&self, episode: EpisodeId) -> Request<Vec<CrewMember>> {
        Request::new(self, format!("/episodes/{episode}/guestcrew"))
    }
}
