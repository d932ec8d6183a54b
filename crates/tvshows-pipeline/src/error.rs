use tvshows_core::StoreError;

/// Why a run ended without publishing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// No connection to TVmaze can be established.
    #[error("TVmaze cannot be reached; check the network and the base URL")]
    Unreachable {
        /// The error of the last attempt.
        #[source]
        source: tvmaze_client::Error,
    },
    /// The updates map could not be fetched, and there is no alternative to it.
    #[error("the updates map cannot be fetched")]
    UpdatesMap {
        /// The error after all attempts.
        #[source]
        source: tvmaze_client::Error,
    },
    /// An index page could not be fetched.
    #[error("index page {page} cannot be fetched")]
    Page {
        /// The page.
        page: u32,
        /// The error after all attempts.
        #[source]
        source: tvmaze_client::Error,
    },
    /// A page in the middle of the index does not exist.
    #[error("index page {page} returned 404, although page {later} exists")]
    MissingPage {
        /// The page.
        page: u32,
        /// A later page that exists.
        later: u32,
    },
    /// A page with published shows no longer exists, and there is no updates map to confirm it.
    #[error("index page {page} returned 404, although the last snapshot has shows on it")]
    VanishedPage {
        /// The page.
        page: u32,
    },
    /// A show is on a page that its id does not belong on, and there is no updates map to confirm it.
    #[error("index page {page} contains show {show}, which belongs on another page")]
    UnexpectedShowOnPage {
        /// The page.
        page: u32,
        /// The show.
        show: u32,
    },
    /// The index does not end where it can be expected to.
    #[error("the index has more than {pages} pages; the responses cannot be from TVmaze")]
    IndexTooLong {
        /// The page limit.
        pages: u32,
    },
    /// The index has no shows. TVmaze's never is empty.
    #[error("the index contains no shows; check that the base URL is TVmaze's API")]
    EmptyIndex,
    /// A show could not be fetched.
    #[error("show {show} cannot be fetched")]
    Show {
        /// The show.
        show: u32,
        /// The error after all attempts.
        #[source]
        source: tvmaze_client::Error,
    },
    /// A response describes another show than the requested one.
    #[error("show {show} cannot be fetched: the response describes show {received}")]
    WrongShow {
        /// The requested show.
        show: u32,
        /// The show in the response.
        received: u32,
    },
    /// The cast of a top show could not be fetched.
    #[error("the cast of show {show} cannot be fetched")]
    Cast {
        /// The show.
        show: u32,
        /// The error after all attempts.
        #[source]
        source: tvmaze_client::Error,
    },
    /// The process died several times in a row without making progress.
    #[error(
        "the process died {resumes} times in a row before it staged anything more; check its log, then \
         start another update"
    )]
    CrashLoop {
        /// How many attempts in a row resumed the run without progress.
        resumes: u32,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The program has a bug.
    #[error("the run ended because of a bug in this program; please report it with the log")]
    Panicked,
    /// The run was cancelled.
    #[error("the run was cancelled")]
    Cancelled,
    /// The service shut down.
    #[error("the service shut down before the run ended; it resumes when a service starts again")]
    ShutDown,
}

/// Formats an error and its causes on one line, separated by colons.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let (mut text, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        text += ": ";
        text += &error.to_string();
        cause = error.source();
    }
    text
}
