use crate::{CastCredit, Client, CrewCredit, GuestCastCredit, Person, PersonId, Request};

/// People, and what they did.
impl Client {
    /// A person.
    pub fn person(&self, id: PersonId) -> Request<Person> {
        Request::new(self, format!("/people/{id}"))
    }

    /// The characters of a person in shows; embed [`Show`](crate::embed::Show) and
    /// [`Character`](crate::embed::Character) for more than links.
    pub fn cast_credits(&self, person: PersonId) -> Request<Vec<CastCredit>> {
        Request::new(self, format!("/people/{person}/castcredits"))
    }

    /// The roles of a person behind the camera; embed [`Show`](crate::embed::Show) for more than links.
    pub fn crew_credits(&self, person: PersonId) -> Request<Vec<CrewCredit>> {
        Request::new(self, format!("/people/{person}/crewcredits"))
    }

    /// The characters of a person in single episodes; embed [`Episode`](crate::embed::Episode) and
    /// [`Character`](crate::embed::Character) for more than links.
    pub fn guest_cast_credits(&self, person: PersonId) -> Request<Vec<GuestCastCredit>> {
        Request::new(self, format!("/people/{person}/guestcastcredits"))
    }
}
