use super::lossless::lossless;

lossless! {
    /// HAL links of an object.
    pub struct Links {
        /// The object itself.
        "self" => self_link: Option<Link>,
        /// The last broadcast episode of a show.
        "previousepisode" => previousepisode: Option<Link>,
        /// The next episode of a show.
        "nextepisode" => nextepisode: Option<Link>,
        /// The show of an episode or a credit.
        "show" => show: Option<Link>,
        /// The character of a credit.
        "character" => character: Option<Link>,
        /// The episode of a credit.
        "episode" => episode: Option<Link>,
    }
}

lossless! {
    /// A HAL link.
    pub struct Link {
        /// The URL.
        "href" => href: Option<String>,
        /// The name of the linked object; only in responses since 2024.
        "name" => name: Option<String>,
    }
}
