use std::io;
use std::path::PathBuf;

/// Why the simulator could not start, or one of its inputs is invalid.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is in use, not local or not an address.
    #[error("cannot listen on the given address")]
    Listen(#[source] io::Error),
    /// A file or directory of a recording cannot be read.
    #[error("cannot read {}", path.display())]
    Read {
        /// The file or directory.
        path: PathBuf,
        /// The cause.
        source: io::Error,
    },
    /// The content of a recorded file is not the JSON that TVmaze would send.
    #[error("{} is not a valid TVmaze response", path.display())]
    InvalidResponse {
        /// The file.
        path: PathBuf,
        /// The cause.
        source: serde_json::Error,
    },
    /// The name of a recorded file is not a page number or a show id.
    #[error("{} is not named NUMBER.json", .0.display())]
    InvalidFileName(PathBuf),
    /// The directory of recorded pages is empty.
    #[error("{} contains no page", .0.display())]
    NoPages(PathBuf),
    /// A text is not a [`RateLimit`](crate::RateLimit).
    #[error(
        "`{0}` is not a rate limit: expected CALLS/PERIOD, both above zero and the period in ms, s, m \
         or h, such as 20/10s"
    )]
    ParseRateLimit(String),
    /// A text is not a [`Fault`](crate::Fault).
    #[error(
        "`{0}` is not a fault: expected KIND[*TIMES]@PATH, such as status:500*2@/shows?page=7; KIND is \
         status:200 to status:599, truncate, malformed, wrong-shape, hang, reset or not-found, TIMES is \
         above zero and PATH starts with a slash"
    )]
    ParseFault(String),
}
