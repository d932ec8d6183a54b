use tvshows_core::StoreError;

/// Why a run ended without publishing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// TVmaze cannot be reached at all.
    #[error("TVmaze cannot be reached; check the network and the base URL")]
    Unreachable {
        /// What happened to the last attempt.
        #[source]
        source: tvmaze_client::Error,
    },
    /// The map of updates stayed unreachable where nothing can be done without it.
    #[error("the map of updates cannot be fetched")]
    Map {
        /// What happened, after how many attempts.
        #[source]
        source: tvmaze_client::Error,
    },
    /// A page of the index stayed unreachable.
    #[error("index page {page} cannot be fetched")]
    Page {
        /// The page.
        page: u32,
        /// What happened, after how many attempts.
        #[source]
        source: tvmaze_client::Error,
    },
    /// A page is missing from the middle of the index.
    #[error("index page {page} answered 404, although page {later} exists")]
    MissingPage {
        /// The page.
        page: u32,
        /// A later one that exists.
        later: u32,
    },
    /// A page that the last snapshot has shows of is missing, and no map says that they are gone.
    #[error("index page {page} answered 404, although the last snapshot has shows of it")]
    VanishedPage {
        /// The page.
        page: u32,
    },
    /// A page has a show that belongs on another, and no map says which shows there are.
    #[error("index page {page} has show {show}, which belongs on another page")]
    Misplaced {
        /// The page.
        page: u32,
        /// The show.
        show: u32,
    },
    /// The index goes on beyond all sense.
    #[error("the index has more than {pages} pages, so something other than TVmaze answers")]
    EndlessIndex {
        /// Where the run stopped.
        pages: u32,
    },
    /// The index has no shows, which TVmaze never says.
    #[error("the index holds no shows; is the base URL that of TVmaze's API?")]
    EmptyIndex,
    /// A show that is fetched by itself stayed unreachable.
    #[error("show {show} cannot be fetched")]
    Show {
        /// The show.
        show: u32,
        /// What happened, after how many attempts.
        #[source]
        source: tvmaze_client::Error,
    },
    /// An answer is about another show than the one asked for.
    #[error("show {show} cannot be fetched: the answer is about show {answered}")]
    WrongShow {
        /// The show asked for.
        show: u32,
        /// The show of the answer.
        answered: u32,
    },
    /// The cast of a top show stayed unreachable.
    #[error("the cast of show {show} cannot be fetched")]
    Cast {
        /// The show.
        show: u32,
        /// What happened, after how many attempts.
        #[source]
        source: tvmaze_client::Error,
    },
    /// The process died again and again at the same place.
    #[error(
        "the process that ran it ended {resumes} times in a row before anything more was staged; look into \
         its log, then start another update"
    )]
    Stuck {
        /// How often the run went on in vain.
        resumes: u32,
    },
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// This program has a bug.
    #[error("a bug in this program ended the run; the log says where, please report it")]
    Panicked,
    /// Somebody cancelled the run.
    #[error("the run was cancelled")]
    Cancelled,
    /// The service stops.
    #[error("the service was stopped before the run ended; it goes on when a service starts again")]
    Stopped,
}

impl RunError {
    /// The error and its causes as one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        sentence(self)
    }
}

/// An error and its causes as one sentence.
#[must_use]
pub fn sentence(error: &dyn std::error::Error) -> String {
    let (mut sentence, mut cause) = (error.to_string(), error.source());
    while let Some(error) = cause {
        sentence += ": ";
        sentence += &error.to_string();
        cause = error.source();
    }
    sentence
}
