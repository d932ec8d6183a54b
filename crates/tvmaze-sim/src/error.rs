use std::io;
use std::path::PathBuf;

/// Why a simulator or one of its settings could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is taken, not ours, or not an address.
    #[error("cannot listen on the given address")]
    Listen {
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file or folder of a recorded catalogue could not be read.
    #[error("cannot read {}", path.display())]
    Unreadable {
        /// The file or folder.
        path: PathBuf,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// A file of a recorded catalogue does not have the shape of TVmaze's answer.
    #[error("{} is not an answer of TVmaze", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Where the shape was missed.
        #[source]
        source: serde_json::Error,
    },
    /// A JSON file of a recorded catalogue is not named by a page number or a show id.
    #[error("{} is not named NUMBER.json", path.display())]
    FileName {
        /// The file.
        path: PathBuf,
    },
    /// A recorded catalogue has no page at all.
    #[error("{} holds no page", directory.display())]
    NoPages {
        /// The folder that should hold `0.json` and so on.
        directory: PathBuf,
    },
    /// A text is not a [`RateLimit`](crate::RateLimit).
    #[error(
        "`{text}` is not a rate limit: expected CALLS/PERIOD, both above zero, \
         the period with ms, s, m or h, such as 20/10s"
    )]
    RateLimit {
        /// The text.
        text: String,
    },
    /// A text is not a [`Fault`](crate::Fault).
    #[error(
        "`{text}` is not a fault: expected KIND[*TIMES]@PATH, TIMES above zero and PATH from the \
         slash on, with KIND one of status:200..599, cut, malformed, object, hang, reset, missing, \
         such as status:500*2@/shows?page=7"
    )]
    Fault {
        /// The text.
        text: String,
    },
}
