use tvshows_core::StoreError;

/// Why a run ended without publishing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    #[error("TVmaze cannot be reached; check the network and the base URL")]
    Unreachable { source: tvmaze_client::Error },
    /// The updates map could not be fetched, and there is no alternative to it.
    #[error("the updates map cannot be fetched")]
    UpdatesMap { source: tvmaze_client::Error },
    #[error("index page {page} cannot be fetched")]
    Page { page: u32, source: tvmaze_client::Error },
    /// A page in the middle of the index does not exist.
    #[error("index page {page} returned 404, although page {later} exists")]
    MissingPage { page: u32, later: u32 },
    /// A page with published shows no longer exists, and there is no updates map to confirm it.
    #[error("index page {page} returned 404, although the last snapshot has shows on it")]
    VanishedPage { page: u32 },
    /// A show is on a page that its id does not belong on, and there is no updates map to confirm it.
    #[error("index page {page} contains show {show}, which belongs on another page")]
    UnexpectedShowOnPage { page: u32, show: u32 },
    /// The index does not end near its known end, or is longer than TVmaze's can be.
    #[error("the index has more than {pages} pages; the responses cannot be from TVmaze")]
    IndexTooLong { pages: u32 },
    /// TVmaze's index is never empty.
    #[error("the index contains no shows; check that the base URL is TVmaze's API")]
    EmptyIndex,
    #[error("show {show} cannot be fetched")]
    Show { show: u32, source: tvmaze_client::Error },
    /// A response describes another show than the requested one.
    #[error("show {show} cannot be fetched: the response describes show {received}")]
    WrongShow { show: u32, received: u32 },
    #[error("the cast of show {show} cannot be fetched")]
    Cast { show: u32, source: tvmaze_client::Error },
    #[error("the episodes and the cast of show {show} cannot be fetched")]
    Details { show: u32, source: tvmaze_client::Error },
    /// The upstream is a mirror.
    #[error(
        "the upstream has show {show}, but returned 404 for its episodes and its cast; if it is a mirror of TVmaze, \
         choose only shows that its own DETAILS chooses"
    )]
    NoDetails { show: u32 },
    /// DETAILS chooses more shows than intended.
    #[error(
        "the episodes and the casts of {shows} shows would be fetched, more than MAX_DETAILS allows ({max}); at \
         TVmaze's limit of requests, that takes {minutes} min. Narrow DETAILS, raise MAX_DETAILS, or run \
         `tvshows update --yes`"
    )]
    TooManyDetails { shows: u32, max: u32, minutes: u64 },
    /// The run stopped several times in a row without making progress.
    #[error(
        "the process died, or lost the database, {attempts} times in a row before it staged anything more; check \
         its log, then start another update; with `--mode full` (`mode=full`), it does not reuse what this one has \
         staged"
    )]
    CrashLoop { attempts: u32 },
    /// The run has sent more requests than any plan for it can need.
    #[error(
        "the update has sent {requests} requests, which is more than it can need; the responses cannot be from \
         TVmaze"
    )]
    TooManyRequests { requests: u64 },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the run ended because of a bug in this program; please report it, with the log")]
    Panicked,
    #[error("the run was canceled")]
    Cancelled,
    /// The lock in the database or the lease in Redis is about to expire.
    #[error("the lock on updates could not be renewed, so another process may take over the run")]
    LockExpired,
    /// The server of the shared database stayed away. Its address is only in the log.
    #[error(
        "the database was unavailable for too long; the run resumes when it is available again"
    )]
    StoreUnreachable,
    #[error("the service shut down before the run ended; it resumes when a service starts again")]
    ShutDown,
}

impl RunError {
    /// Whether the run is left interrupted, to be resumed: nothing is wrong with it.
    pub(crate) fn is_interruption(&self) -> bool {
        match self {
            RunError::ShutDown | RunError::LockExpired | RunError::StoreUnreachable => true,
            RunError::Store(error) => error.is_transient(),
            _ => false,
        }
    }
}

/// Formats an error and its causes on one line, separated by colons. A cause that the text before it ends with is not
/// repeated.
#[must_use]
pub fn error_chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    for cause in std::iter::successors(error.source(), |error| error.source()) {
        let cause = cause.to_string();
        if !text.ends_with(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("{text}")]
    struct Link {
        text: &'static str,
        source: Option<Box<Link>>,
    }

    #[test]
    fn a_cause_is_printed_once() {
        let link = |text, source: Option<Link>| Link { text, source: source.map(Box::new) };
        let root = link("refused (os error 111)", None);
        let wrapped = link("cannot connect: refused (os error 111)", Some(root));
        let error = link("Redis is unavailable", Some(wrapped));
        let expected = "Redis is unavailable: cannot connect: refused (os error 111)";
        assert_eq!(error_chain(&error), expected);
    }
}
