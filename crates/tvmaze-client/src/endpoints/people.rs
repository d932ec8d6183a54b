use crate::{CastCredit, Client, CrewCredit, GuestCastCredit, Person, PersonId, Request};

/// People and their credits.
impl Client {
    /// Gets a person.
    pub fn person(&self, id: PersonId) -> Request<Person> {
        Request::new(self, format!("/people/{id}"))
    }

    /// Lists a person's cast credits. They contain only links unless you embed
    /// [`Show`](crate::embed::Show) and [`Character`](crate::embed::Character).
    pub fn cast_credits(&self, person: PersonId) -> Request<Vec<CastCredit>> {
        Request::new(self, format!("/people/{person}/castcredits"))
    }

    /// Lists a person's crew credits. They contain only links unless you embed
    /// [`Show`](crate::embed::Show).
    pub fn crew_credits(&self, person: PersonId) -> Request<Vec<CrewCredit>> {
        Request::new(self, format!("/people/{person}/crewcredits"))
    }

    /// Lists a person's guest cast credits. They contain only links unless you embed
    /// [`Episode`](crate::embed::Episode) and [`Character`](crate::embed::Character).
    pub fn guest_cast_credits(&self, person: PersonId) -> Request<Vec<GuestCastCredit>> {
        Request::new(self, format!("/people/{person}/guestcastcredits"))
    }
}
