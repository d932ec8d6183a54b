use super::id::ImageId;
use super::lossless::lossless;

lossless! {
    /// The URLs of an image.
    pub struct Image {
        /// Scaled down.
        "medium" => medium: Option<String>,
        /// As uploaded.
        "original" => original: Option<String>,
    }
}

lossless! {
    /// An entry of `/shows/:id/images`.
    pub struct ShowImage {
        /// TVmaze's id.
        "id" => id: ImageId,
        /// `poster`, `banner`, `background` or `typography`; `None` if unspecified.
        "type" => kind: Option<String>,
        /// Whether it is the show's main image of its type.
        "main" => main: Option<bool>,
        /// The available sizes.
        "resolutions" => resolutions: Option<Resolutions>,
    }
}

lossless! {
    /// The available sizes of a [`ShowImage`].
    pub struct Resolutions {
        /// As uploaded.
        "original" => original: Option<Resolution>,
        /// Scaled down; not available for all types.
        "medium" => medium: Option<Resolution>,
        /// Only in old responses.
        "large" => large: Option<Resolution>,
    }
}

lossless! {
    /// One size of a [`ShowImage`].
    pub struct Resolution {
        /// The URL of the image.
        "url" => url: Option<String>,
        /// The width in pixels; absent in old responses.
        "width" => width: Option<i64>,
        /// The height in pixels; absent in old responses.
        "height" => height: Option<i64>,
    }
}
