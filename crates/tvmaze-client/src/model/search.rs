use super::codec::CompactFloat;
use super::lossless::lossless;
use super::person::Person;
use super::show::Show;

lossless! {
    /// A search result: a show.
    pub struct ScoredShow {
        /// The relevance; comparable only within one response.
        "score" => score: f64 as CompactFloat,
        /// The show.
        "show" => show: Show,
    }
}

lossless! {
    /// A search result: a person.
    pub struct ScoredPerson {
        /// The relevance; comparable only within one response.
        "score" => score: f64 as CompactFloat,
        /// The person.
        "person" => person: Person,
    }
}
