use std::path::Path;
use std::sync::Arc;

use bytes::Bytes;

use crate::body_cache::CachedBody;
use crate::encoding::Encoding;
use crate::error::Error;
use crate::recording::Recording;
use crate::route::{Route, Since};
use crate::source::Source;
use crate::synthetic::Synthetic;

/// The shows and casts that the simulator serves. Clones share the data and the rendered bodies.
#[derive(Clone, Debug)]
pub struct Dataset {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Box<dyn Source>,
    pages: Vec<CachedBody>,
    updates: CachedBody,
}

impl Dataset {
    /// Generates exactly `shows` shows, with ids from 1.
    ///
    /// The same arguments give byte-identical responses, and a larger number of shows with the same
    /// seed only adds ids at the end. About 6 % of the ids below the last are missing, like deleted
    /// shows. Bodies are rendered on first request.
    #[must_use]
    pub fn synthetic(shows: u32, seed: u64) -> Self {
        Self::new(Synthetic::new(shows, seed))
    }

    /// Reads recorded responses: `pages/N.json`, `cast/ID.json` and `updates.json` in `directory`.
    ///
    /// A page without a file is empty, or missing if it is after the last file. A show without a cast
    /// file has an empty cast. Without `updates.json`, the update times are those of the shows. All
    /// files are read before this returns.
    ///
    /// # Errors
    ///
    /// Names the file or directory that cannot be read, or that has the wrong name or content.
    pub fn recorded(directory: &Path) -> Result<Self, Error> {
        Ok(Self::new(Recording::read(directory)?))
    }

    fn new(source: impl Source + 'static) -> Self {
        let pages = (0..source.page_count()).map(|_| CachedBody::default()).collect();
        let source = Box::new(source);
        Self { inner: Arc::new(Inner { source, pages, updates: CachedBody::default() }) }
    }

    /// The body of `/shows?page=n`: a list ordered by id; `None` after the last page.
    #[must_use]
    pub fn page(&self, n: u32) -> Option<Bytes> {
        self.render(Route::Page(n), Encoding::Identity)
    }

    /// The body of `/shows/:id`, with the same text as on its page.
    #[must_use]
    pub fn show(&self, id: u32) -> Option<Bytes> {
        self.render(Route::Show(id), Encoding::Identity)
    }

    /// The body of `/shows/:id/cast`: a list, possibly empty; `None` if the show does not exist.
    #[must_use]
    pub fn cast(&self, id: u32) -> Option<Bytes> {
        self.render(Route::Cast(id), Encoding::Identity)
    }

    /// The body of `/updates/shows`: an object that maps every id to a Unix time.
    #[must_use]
    pub fn updates(&self) -> Bytes {
        self.updates_body(Encoding::Identity)
    }

    /// The body of a route, if it is cached.
    pub(crate) fn cached(&self, route: Route, encoding: Encoding) -> Option<Bytes> {
        match route {
            Route::Page(n) => self.cached_page(n)?.peek(encoding),
            Route::Updates(Since::All) => self.inner.updates.peek(encoding),
            Route::Show(_) | Route::Cast(_) | Route::Updates(_) => None,
        }
    }

    /// The body of a route, rendered and compressed if needed; `None` is a 404.
    pub(crate) fn render(&self, route: Route, encoding: Encoding) -> Option<Bytes> {
        let source = &self.inner.source;
        match route {
            Route::Page(n) => Some(self.cached_page(n)?.get_or_render(encoding, || source.page(n))),
            Route::Updates(Since::All) => Some(self.updates_body(encoding)),
            Route::Updates(since) => Some(encoding.encode(render_updates(&**source, since))),
            Route::Show(id) => Some(encoding.encode(source.show(id)?)),
            Route::Cast(id) => Some(encoding.encode(source.cast(id)?)),
        }
    }

    fn updates_body(&self, encoding: Encoding) -> Bytes {
        let render = || render_updates(&*self.inner.source, Since::All);
        self.inner.updates.get_or_render(encoding, render)
    }

    fn cached_page(&self, n: u32) -> Option<&CachedBody> {
        self.inner.pages.get(usize::try_from(n).ok()?)
    }
}

fn render_updates(source: &dyn Source, since: Since) -> Bytes {
    let times = source.update_times();
    let newest = times.iter().map(|&(_, time)| time).max().unwrap_or(0);
    let cutoff = since.cutoff(newest);
    let entries: Vec<String> = times
        .iter()
        .filter(|&&(_, time)| time >= cutoff)
        .map(|(id, time)| format!("\"{id}\":{time}"))
        .collect();
    format!("{{{}}}", entries.join(",")).into()
}
