use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::body_cache::CachedBody;
use crate::encoding::Encoding;
use crate::error::Error;
use crate::recording::Recording;
use crate::route::{Embed, Route, Since};
use crate::search_index::SearchIndex;
use crate::source::Source;
use crate::synthetic::Synthetic;

/// The shows, casts and episodes that the simulator serves. Clones share the data and the rendered bodies.
#[derive(Clone, Debug)]
pub struct Dataset {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    source: Box<dyn Source>,
    pages: Vec<CachedBody>,
    updates: CachedBody,
    /// Built at the first search or lookup.
    search_index: OnceLock<SearchIndex>,
}

/// What a route has.
pub(crate) enum Content {
    Body(Bytes),
    /// A redirect to this show.
    Show(u32),
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

    /// Reads recorded responses: `pages/N.json`, `cast/ID.json`, `episodes/ID.json` and `updates.json` in
    /// `directory`.
    ///
    /// A page without a file is empty, or missing if it is after the last file. A show without a cast
    /// file has an empty cast, and likewise for its episodes. Without `updates.json`, the update times are those of the shows. All
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
        let (updates, search_index) = (CachedBody::default(), OnceLock::new());
        Self { inner: Arc::new(Inner { source, pages, updates, search_index }) }
    }

    /// The body of `/shows?page=n`: a list ordered by id; `None` after the last page.
    #[must_use]
    pub fn page(&self, n: u32) -> Option<Bytes> {
        let page = self.cached_page(n)?;
        Some(page.get_or_render(Encoding::Identity, || self.inner.source.page(n)))
    }

    /// The body of `/shows/:id`, with the same text as on its page.
    #[must_use]
    pub fn show(&self, id: u32) -> Option<Bytes> {
        self.inner.source.show(id)
    }

    /// The body of `/shows/:id/cast`: a list, possibly empty; `None` if the show does not exist.
    #[must_use]
    pub fn cast(&self, id: u32) -> Option<Bytes> {
        self.inner.source.cast(id)
    }

    /// The body of `/shows/:id/episodes`: a list in broadcast order, possibly empty; `None` if the show does
    /// not exist.
    #[must_use]
    pub fn episodes(&self, id: u32) -> Option<Bytes> {
        self.inner.source.episodes(id)
    }

    /// The body of `/updates/shows`: an object that maps every id to a Unix time.
    #[must_use]
    pub fn updates(&self) -> Bytes {
        self.updates_body(Encoding::Identity)
    }

    /// The body of a route, if it is cached.
    pub(crate) fn cached(&self, route: &Route, encoding: Encoding) -> Option<Bytes> {
        match route {
            Route::Page(n) => self.cached_page(*n)?.peek(encoding),
            Route::Updates(Since::All) => self.inner.updates.peek(encoding),
            _ => None,
        }
    }

    /// The content of a route, rendered and compressed if needed; `None` is a 404.
    pub(crate) fn render(&self, route: &Route, encoding: Encoding) -> Option<Content> {
        let source = &*self.inner.source;
        let body = match route {
            Route::Page(n) => self.cached_page(*n)?.get_or_render(encoding, || source.page(*n)),
            Route::Updates(Since::All) => self.updates_body(encoding),
            Route::Updates(since) => encoding.encode(render_updates(source, *since)),
            Route::Show(id, embeds) => encoding.encode(render_show(source, *id, embeds)?),
            Route::Cast(id) => encoding.encode(source.cast(*id)?),
            Route::Episodes(id) => encoding.encode(source.episodes(*id)?),
            Route::Search(name) => {
                encoding.encode(render_results(source, &self.search_index().search(name)))
            }
            Route::SingleSearch(name, embeds) => {
                let (_, best) = *self.search_index().search(name).first()?;
                encoding.encode(render_show(source, best, embeds)?)
            }
            Route::Lookup(external) => {
                return self.search_index().lookup(external).map(Content::Show);
            }
        };
        Some(Content::Body(body))
    }

    fn search_index(&self) -> &SearchIndex {
        self.inner.search_index.get_or_init(|| SearchIndex::new(&*self.inner.source))
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

fn render_results(source: &dyn Source, results: &[(f64, u32)]) -> Bytes {
    let results: Vec<String> = results
        .iter()
        .filter_map(|(score, id)| Some((score, source.show(*id)?)))
        .map(|(score, show)| {
            format!("{{\"score\":{score:.4},\"show\":{}}}", String::from_utf8_lossy(&show))
        })
        .collect();
    format!("[{}]", results.join(",")).into()
}

/// A show, with `_embedded` at its end if anything is embedded.
fn render_show(source: &dyn Source, id: u32, embeds: &[Embed]) -> Option<Bytes> {
    let show = source.show(id)?;
    let embedded: Vec<String> = embeds
        .iter()
        .filter_map(|embed| {
            let (name, value) = embedded(source, id, &show, *embed)?;
            Some(format!("\"{name}\":{}", String::from_utf8_lossy(&value)))
        })
        .collect();
    let Some(fields) = show.strip_suffix(b"}").filter(|_| !embedded.is_empty()) else {
        return Some(show);
    };
    let embedded = format!(",\"_embedded\":{{{}}}}}", embedded.join(","));
    Some([fields, embedded.as_bytes()].concat().into())
}

fn embedded(
    source: &dyn Source,
    id: u32,
    show: &[u8],
    embed: Embed,
) -> Option<(&'static str, Bytes)> {
    let linked = |name| Some((name, linked_episode(&source.episodes(id)?, show, name)?));
    match embed {
        Embed::Cast => Some(("cast", source.cast(id)?)),
        Embed::Episodes => Some(("episodes", source.episodes(id)?)),
        Embed::NextEpisode => linked("nextepisode"),
        Embed::PreviousEpisode => linked("previousepisode"),
    }
}

/// The episode that a link of the show leads to.
fn linked_episode(episodes: &Bytes, show: &[u8], link: &str) -> Option<Bytes> {
    #[derive(Deserialize)]
    struct Header {
        id: u64,
    }
    let show: Value = serde_json::from_slice(show).ok()?;
    let link = show["_links"][link]["href"].as_str()?;
    let id: u64 = link.rsplit('/').next()?.parse().ok()?;
    let list: Vec<&RawValue> = serde_json::from_slice(episodes).ok()?;
    let is_linked = |episode: &&&RawValue| {
        serde_json::from_str::<Header>(episode.get()).is_ok_and(|header| header.id == id)
    };
    let episode = list.iter().find(is_linked)?;
    Some(episodes.slice_ref(episode.get().as_bytes()))
}
