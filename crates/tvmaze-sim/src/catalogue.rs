use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::Error;
use crate::encoding::Encoding;
use crate::kept::Kept;
use crate::recorded::Recorded;
use crate::route::{Route, Since};
use crate::synthetic::Synthetic;

/// TVmaze puts the ids 250n to 250n + 249 on page n.
pub(crate) const IDS_A_PAGE: u32 = 250;

/// What the simulator serves; a clone shares everything with its original.
#[derive(Clone, Debug)]
pub struct Catalogue {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Source,
    pages: Vec<Kept>,
    updates: Kept,
}

#[derive(Debug)]
enum Source {
    Synthetic(Synthetic),
    Recorded(Recorded),
}

impl Catalogue {
    /// Invents a catalogue of exactly `shows` shows with the ids 1 and up.
    ///
    /// The same arguments give byte-identical answers, and more shows with the same seed only add
    /// ids at the end. About 6 % of the ids below the last are holes, as if deleted. Nothing is
    /// rendered before it is asked for.
    #[must_use]
    pub fn synthetic(shows: u32, seed: u64) -> Self {
        let synthetic = Synthetic::new(shows, seed);
        let pages = synthetic.last_id().map_or(0, |id| id / IDS_A_PAGE + 1);
        Self::new(Source::Synthetic(synthetic), pages)
    }

    /// Reads recorded answers: `pages/N.json`, `cast/ID.json` and `updates.json` below `directory`.
    ///
    /// A page without a file is empty up to the last file and missing after it. A show without a
    /// cast file has an empty cast. Without `updates.json` every show's `updated` stands in. The
    /// files are read now and never again.
    ///
    /// # Errors
    ///
    /// Names the file or folder that could not be read, has another shape or another kind of name.
    pub fn recorded(directory: &Path) -> Result<Self, Error> {
        let recorded = Recorded::read(directory)?;
        let pages = recorded.last_page() + 1;
        Ok(Self::new(Source::Recorded(recorded), pages))
    }

    fn new(source: Source, pages: u32) -> Self {
        let pages = (0..pages).map(|_| Kept::default()).collect();
        Self { inner: Arc::new(Inner { source, pages, updates: Kept::default() }) }
    }

    /// The body of `/shows?page=n`: a list in the order of ids; `None` past the last page.
    #[must_use]
    pub fn page(&self, n: u32) -> Option<Bytes> {
        self.body(Route::Page(n), Encoding::Identity)
    }

    /// The body of `/shows/:id`, the same text as in its page.
    #[must_use]
    pub fn show(&self, id: u32) -> Option<Bytes> {
        self.body(Route::Show(id), Encoding::Identity)
    }

    /// The body of `/shows/:id/cast`: a list, empty if nobody is known; `None` without such a show.
    #[must_use]
    pub fn cast(&self, id: u32) -> Option<Bytes> {
        self.body(Route::Cast(id), Encoding::Identity)
    }

    /// The body of `/updates/shows`: an object from every id, as text, to a unix time.
    #[must_use]
    pub fn updates(&self) -> Bytes {
        self.updates_in(Encoding::Identity)
    }

    /// The body of a route, if it needs no rendering.
    pub(crate) fn ready(&self, route: Route, encoding: Encoding) -> Option<Bytes> {
        match route {
            Route::Page(n) => self.kept_page(n)?.ready(encoding),
            Route::Updates(Since::Ever) => self.inner.updates.ready(encoding),
            Route::Show(_) | Route::Cast(_) | Route::Updates(_) => None,
        }
    }

    /// The body of a route, rendered and compressed if it must be; `None` is a 404.
    pub(crate) fn body(&self, route: Route, encoding: Encoding) -> Option<Bytes> {
        let source = &self.inner.source;
        match route {
            Route::Page(n) => Some(self.kept_page(n)?.get(encoding, || source.page(n))),
            Route::Updates(Since::Ever) => Some(self.updates_in(encoding)),
            Route::Updates(since) => Some(encoding.encode(updates(source, since))),
            Route::Show(id) => Some(encoding.encode(source.show(id)?)),
            Route::Cast(id) => Some(encoding.encode(source.cast(id)?)),
        }
    }

    fn updates_in(&self, encoding: Encoding) -> Bytes {
        let render = || updates(&self.inner.source, Since::Ever);
        self.inner.updates.get(encoding, render)
    }

    fn kept_page(&self, n: u32) -> Option<&Kept> {
        self.inner.pages.get(usize::try_from(n).ok()?)
    }
}

impl Source {
    fn page(&self, n: u32) -> Bytes {
        match self {
            Self::Synthetic(synthetic) => synthetic.page(n),
            Self::Recorded(recorded) => recorded.page(n),
        }
    }

    fn show(&self, id: u32) -> Option<Bytes> {
        match self {
            Self::Synthetic(synthetic) => synthetic.show(id),
            Self::Recorded(recorded) => recorded.show(id),
        }
    }

    fn cast(&self, id: u32) -> Option<Bytes> {
        match self {
            Self::Synthetic(synthetic) => synthetic.cast(id),
            Self::Recorded(recorded) => recorded.cast(id),
        }
    }

    /// Every id with the time of its last change, in the order of ids.
    fn updated(&self) -> Vec<(u32, u64)> {
        match self {
            Self::Synthetic(synthetic) => synthetic.updated(),
            Self::Recorded(recorded) => recorded.updated(),
        }
    }
}

fn updates(source: &Source, since: Since) -> Bytes {
    let mut updated = source.updated();
    let newest = updated.iter().map(|&(_, time)| time).max().unwrap_or(0);
    let earliest = since.earliest(newest);
    updated.retain(|&(_, time)| time >= earliest);
    json_object(&updated)
}

fn json_object(pairs: &[(u32, u64)]) -> Bytes {
    let entries: Vec<String> = pairs.iter().map(|(id, time)| format!("\"{id}\":{time}")).collect();
    format!("{{{}}}", entries.join(",")).into()
}
