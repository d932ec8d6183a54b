use super::faithful::faithful;
use super::id::NetworkId;

faithful! {
    /// A broadcaster or a streaming service.
    ///
    /// TVmaze counts the two separately: a network and a web channel with one number are two things.
    pub struct Network {
        /// TVmaze's number.
        "id" => id: NetworkId,
        /// The name.
        "name" => name: Option<String>,
        /// `None` for a service of the whole world.
        "country" => country: Option<Country>,
        /// The network's own site.
        "officialSite" => official_site: Option<String>,
    }
}

faithful! {
    /// A country.
    pub struct Country {
        /// The English name.
        "name" => name: Option<String>,
        /// ISO 3166-1, two letters.
        "code" => code: Option<String>,
        /// A name of the IANA time zone database.
        "timezone" => timezone: Option<String>,
    }
}
