use super::faithful::faithful;
use super::id::ImageId;

faithful! {
    /// The addresses of a picture.
    pub struct Image {
        /// Scaled down.
        "medium" => medium: Option<String>,
        /// As uploaded.
        "original" => original: Option<String>,
    }
}

faithful! {
    /// A row of `/shows/:id/images`.
    pub struct ShowImage {
        /// TVmaze's number.
        "id" => id: ImageId,
        /// `poster`, `banner`, `background`, `typography`; `None` for one of no kind.
        "type" => kind: Option<String>,
        /// Whether it is the show's official image of its kind.
        "main" => main: Option<bool>,
        /// The sizes that exist.
        "resolutions" => resolutions: Option<Resolutions>,
    }
}

faithful! {
    /// The sizes of a [`ShowImage`].
    pub struct Resolutions {
        /// As uploaded.
        "original" => original: Option<Resolution>,
        /// Scaled down; not every kind has it.
        "medium" => medium: Option<Resolution>,
        /// Only in old answers.
        "large" => large: Option<Resolution>,
    }
}

faithful! {
    /// A size of a [`ShowImage`].
    pub struct Resolution {
        /// The address.
        "url" => url: Option<String>,
        /// Pixels; absent in old answers.
        "width" => width: Option<i64>,
        /// Pixels; absent in old answers.
        "height" => height: Option<i64>,
    }
}
