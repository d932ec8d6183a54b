use std::collections::HashMap;
use std::path::Path;
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use jiff::civil::Date;
use serde_json::Value;

use crate::body_cache::CachedBody;
use crate::encoding::Encoding;
use crate::episode_list::{Header, json_list, parse, without_specials};
use crate::error::Error;
use crate::recording::Recording;
use crate::route::{Embed, Route, Since};
use crate::schedule::ScheduleIndex;
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
    /// Built at the first request for a schedule.
    schedule_index: OnceLock<ScheduleIndex>,
    /// The shows of all episodes. Built at the first request for one.
    shows_of_episodes: OnceLock<HashMap<u64, u32>>,
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
        Self::new(Synthetic::new(shows, seed, &[]))
    }

    /// The dataset of [`Dataset::synthetic`] on a later day: about 15 % of the shows have had an episode each week since
    /// its end, and have announced twelve more. Days before its end make no difference.
    ///
    /// On the day after an episode, its show has a new `updated`, new links, and another announced episode. Nothing else
    /// changes from one day to the next.
    #[must_use]
    pub fn synthetic_on(day: Date, shows: u32, seed: u64) -> Self {
        Self::new(Synthetic::new(shows, seed, &[]).on(day))
    }

    /// The dataset of [`Dataset::synthetic`] at a later time, at which the shows with the ids in `changed`
    /// have changed, as often as each is listed. Nothing else differs.
    ///
    /// A changed show has a new `updated`, which is later than all original ones. Each change postpones its
    /// last episode by a day, announces another episode without a date, swaps the first two members of the
    /// cast and adds one.
    #[must_use]
    pub fn synthetic_with_changes(shows: u32, seed: u64, changed: &[u32]) -> Self {
        Self::new(Synthetic::new(shows, seed, changed))
    }

    /// Reads recorded responses: `pages/N.json`, `cast/ID.json`, `episodes/ID.json` (with or without
    /// specials), `seasons/ID.json` and `updates.json` in `directory`.
    ///
    /// A page without a file is empty, or missing if it is after the last file. A show without a cast
    /// file has an empty cast, and likewise for its episodes and seasons. Without `updates.json`, the
    /// update times are those of the shows. All files are read before this returns.
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
        let inner = Inner {
            source,
            pages,
            updates: CachedBody::default(),
            search_index: OnceLock::new(),
            schedule_index: OnceLock::new(),
            shows_of_episodes: OnceLock::new(),
        };
        Self { inner: Arc::new(inner) }
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

    /// The body of `/shows/:id/episodes`: a list in broadcast order without specials, possibly empty; `None`
    /// if the show does not exist.
    #[must_use]
    pub fn episodes(&self, id: u32) -> Option<Bytes> {
        self.inner.source.episodes(id).map(without_specials)
    }

    /// The body of `/shows/:id/episodes?specials=1`: the same with specials.
    #[must_use]
    pub fn episodes_and_specials(&self, id: u32) -> Option<Bytes> {
        self.inner.source.episodes(id)
    }

    /// The body of `/shows/:id/seasons`: a list, possibly empty; `None` if the show does not exist.
    #[must_use]
    pub fn seasons(&self, id: u32) -> Option<Bytes> {
        self.inner.source.seasons(id)
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
            Route::Episodes { show, specials: false } => encoding.encode(self.episodes(*show)?),
            Route::Episodes { show, specials: true } => encoding.encode(source.episodes(*show)?),
            Route::EpisodeByNumber { show, season, number } => {
                let is_wanted = |header: &Header| header.has_number(*season, *number);
                encoding.encode(find_episode(&source.episodes(*show)?, is_wanted)?)
            }
            Route::EpisodesByDate(show, date) => {
                let (list, date) = (source.episodes(*show)?, date.to_string());
                let mut episodes = parse(&list);
                episodes.retain(|episode| episode.header.airdate() == date);
                let episodes = Some(episodes).filter(|episodes| !episodes.is_empty())?;
                encoding.encode(json_list(episodes.iter().map(|episode| episode.text)))
            }
            Route::Episode { id, embeds_show } => {
                let show = *self.shows_of_episodes().get(id)?;
                let episode = find_episode(&source.episodes(show)?, |header| header.id == *id)?;
                let show = source.show(show).filter(|_| *embeds_show);
                encoding.encode(match show {
                    Some(show) => with_embeds(&episode, &[("show", show)]),
                    None => episode,
                })
            }
            Route::Seasons(id) => encoding.encode(source.seasons(*id)?),
            Route::Schedule(schedule) => {
                let index = self.inner.schedule_index.get_or_init(|| ScheduleIndex::new(source));
                encoding.encode(index.render(source, schedule))
            }
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

    fn shows_of_episodes(&self) -> &HashMap<u64, u32> {
        self.inner.shows_of_episodes.get_or_init(|| {
            let mut shows = HashMap::new();
            for (show, _) in self.inner.source.update_times() {
                let list = self.inner.source.episodes(show).unwrap_or_default();
                let episodes = parse(&list).into_iter();
                let ids = episodes.filter_map(|episode| episode.header.id.as_u64());
                shows.extend(ids.map(|id| (id, show)));
            }
            shows
        })
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

/// A show and what is embedded in it.
fn render_show(source: &dyn Source, id: u32, embeds: &[Embed]) -> Option<Bytes> {
    let show = source.show(id)?;
    let embedded: Vec<_> =
        embeds.iter().filter_map(|embed| embedded(source, id, &show, *embed)).collect();
    Some(if embedded.is_empty() { show } else { with_embeds(&show, &embedded) })
}

/// An object with `_embedded` at its end.
fn with_embeds(object: &[u8], embedded: &[(&str, Bytes)]) -> Bytes {
    let fields = object.strip_suffix(b"}").unwrap_or(object);
    let embedded: Vec<String> = embedded
        .iter()
        .map(|(name, value)| format!("\"{name}\":{}", String::from_utf8_lossy(value)))
        .collect();
    let embedded = format!(",\"_embedded\":{{{}}}}}", embedded.join(","));
    [fields, embedded.as_bytes()].concat().into()
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
        Embed::Episodes => Some(("episodes", without_specials(source.episodes(id)?))),
        Embed::NextEpisode => linked("nextepisode"),
        Embed::PreviousEpisode => linked("previousepisode"),
        Embed::Seasons => Some(("seasons", source.seasons(id)?)),
    }
}

/// The episode that a link of the show leads to.
fn linked_episode(episodes: &Bytes, show: &[u8], link: &str) -> Option<Bytes> {
    let show: Value = serde_json::from_slice(show).ok()?;
    let link = show["_links"][link]["href"].as_str()?;
    let id: u64 = link.rsplit('/').next()?.parse().ok()?;
    find_episode(episodes, |header| header.id == id)
}

fn find_episode(list: &Bytes, is_wanted: impl Fn(&Header) -> bool) -> Option<Bytes> {
    let episodes = parse(list);
    let episode = episodes.iter().find(|episode| is_wanted(&episode.header))?;
    Some(list.slice_ref(episode.text.as_bytes()))
}
