use super::id::NetworkId;
use super::lossless::lossless;

lossless! {
    /// A broadcaster or a streaming service.
    ///
    /// TVmaze numbers the two separately: a network and a web channel can have the same id.
    pub struct Network {
        /// TVmaze's id.
        "id" => id: NetworkId,
        /// The name.
        "name" => name: Option<String>,
        /// `None` for a global service.
        "country" => country: Option<Country>,
        /// The network's official website.
        "officialSite" => official_site: Option<String>,
    }
}

lossless! {
    /// A country.
    pub struct Country {
        /// The English name.
        "name" => name: Option<String>,
        /// The ISO 3166-1 alpha-2 code.
        "code" => code: Option<String>,
        /// The IANA time zone name.
        "timezone" => timezone: Option<String>,
    }
}
