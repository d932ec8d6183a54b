use super::codec::WholeOrFraction;
use super::faithful::faithful;
use super::person::Person;
use super::show::Show;

faithful! {
    /// A show that a search found.
    pub struct ScoredShow {
        /// How well it fits; comparable only within one answer.
        "score" => score: f64 as WholeOrFraction,
        /// The show.
        "show" => show: Show,
    }
}

faithful! {
    /// A person that a search found.
    pub struct ScoredPerson {
        /// How well the name fits; comparable only within one answer.
        "score" => score: f64 as WholeOrFraction,
        /// The person.
        "person" => person: Person,
    }
}
