use super::faithful::faithful;

faithful! {
    /// HAL links of an object.
    pub struct Links {
        /// The object itself.
        "self" => this: Option<Link>,
        /// A show's last episode that was broadcast.
        "previousepisode" => previousepisode: Option<Link>,
        /// A show's next episode to be broadcast.
        "nextepisode" => nextepisode: Option<Link>,
        /// The show that an episode or a credit belongs to.
        "show" => show: Option<Link>,
        /// The character of a credit.
        "character" => character: Option<Link>,
        /// The episode of a credit.
        "episode" => episode: Option<Link>,
    }
}

faithful! {
    /// A HAL link.
    pub struct Link {
        /// The address.
        "href" => href: Option<String>,
        /// The name of what is linked; only in answers since 2024.
        "name" => name: Option<String>,
    }
}
