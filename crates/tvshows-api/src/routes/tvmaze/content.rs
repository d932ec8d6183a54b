use std::collections::BTreeSet;

use actix_web::web::Bytes;
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use tvshows_core::{
    Catalog, Episode, EpisodeKey, SearchText, Show, ShowFilter, ShowId, ShowMap, ShowQuery, Sort,
    SortBy, TvmazeObject,
};

use super::embed::{Embed, EpisodeEmbed, embed, render_episode};
use super::schedule::ScheduleRequest;
use super::season::{parse_season_id, seasons};
use crate::content::json;
use crate::problem::Problem;

/// How many ids a page of the show index has.
const PAGE_SIZE: u32 = 250;
/// How many shows a search finds.
const MAX_RESULTS: u32 = 10;

/// What a client of TVmaze's routes requests.
#[derive(Debug)]
pub(crate) enum TvmazeContent {
    Page(u32),
    Updates(Option<Since>),
    Search(SearchText),
    SingleSearch(SearchText, BTreeSet<Embed>),
    Show(ShowId, BTreeSet<Embed>),
    Episodes(ShowId),
    Seasons(ShowId),
    Cast(ShowId),
    EpisodeByNumber { show: ShowId, season: i64, number: i64 },
    EpisodesByDate { show: ShowId, date: Date },
    Episode(u32, BTreeSet<EpisodeEmbed>),
    Season(u32),
    SeasonEpisodes(u32),
    Schedule(ScheduleRequest),
}

/// How long before the publish a show may have changed.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Since {
    Day,
    Week,
    Month,
}

impl TvmazeContent {
    /// The first day of a schedule, which depends on the day of the request.
    pub(crate) fn first_day(&self) -> Option<Date> {
        match self {
            TvmazeContent::Schedule(schedule) => Some(schedule.first_day()),
            _ => None,
        }
    }

    /// Whether the response can be 404, whatever the tag of the snapshot.
    pub(crate) fn may_be_missing(&self) -> bool {
        !matches!(
            self,
            TvmazeContent::Updates(_) | TvmazeContent::Search(_) | TvmazeContent::Schedule(_)
        )
    }

    /// The body of the response.
    pub(crate) async fn render(self, catalog: &dyn Catalog) -> Result<Bytes, Problem> {
        match self {
            TvmazeContent::Page(page) => render_page(page, catalog).await,
            TvmazeContent::Updates(since) => render_updates(since, catalog).await,
            TvmazeContent::Search(text) => render_search(text, catalog).await,
            TvmazeContent::SingleSearch(text, embeds) => {
                let show = found(text, catalog).await?.into_iter().next();
                json(&embed(show.ok_or(Problem::NoMatch)?, &embeds, catalog).await?)
            }
            TvmazeContent::Show(id, embeds) => {
                json(&embed(show_of(id, catalog).await?, &embeds, catalog).await?)
            }
            TvmazeContent::Episodes(id) => json(&episodes_of(id, catalog).await?),
            TvmazeContent::Seasons(id) => {
                let show = show_of(id, catalog).await?;
                json(&seasons(&show, &episodes_of(id, catalog).await?))
            }
            TvmazeContent::Cast(id) => json(&cast_of(id, catalog).await?),
            TvmazeContent::EpisodeByNumber { show, season, number } => {
                let key = EpisodeKey::Number { show, season, number };
                let episodes = stored(show, catalog.find_episodes(key).await?, catalog).await?;
                let unknown = || Problem::NotMirrored("Unknown episode".to_owned());
                json(episodes.first().ok_or_else(unknown)?)
            }
            TvmazeContent::EpisodesByDate { show, date } => {
                let key = EpisodeKey::Day { show, airdate: date };
                let episodes = stored(show, catalog.find_episodes(key).await?, catalog).await?;
                if episodes.is_empty() {
                    return Err(Problem::NotMirrored("No episodes found".to_owned()));
                }
                json(&episodes)
            }
            TvmazeContent::Episode(id, embeds) => {
                let unknown = || not_mirrored(&format!("episode {id}"));
                let episodes = catalog.find_episodes(EpisodeKey::Id(id)).await?;
                let episode = episodes.unwrap_or_default().pop().ok_or_else(unknown)?;
                render_episode(episode, &embeds, catalog).await
            }
            TvmazeContent::Season(id) => {
                let (show, episodes) = season_of(id, catalog).await?;
                let show = show_of(show, catalog).await?;
                json(&seasons(&show, &episodes).first())
            }
            TvmazeContent::SeasonEpisodes(id) => json(&season_of(id, catalog).await?.1),
            TvmazeContent::Schedule(schedule) => schedule.render(catalog).await,
        }
    }
}

pub(super) async fn show_of(id: ShowId, catalog: &dyn Catalog) -> Result<Show, Problem> {
    catalog.show(id.into()).await?.ok_or(Problem::ShowNotFound(id))
}

pub(super) async fn episodes_of(
    id: ShowId,
    catalog: &dyn Catalog,
) -> Result<Vec<Episode>, Problem> {
    stored(id, catalog.episodes(id).await?, catalog).await
}

async fn stored(
    id: ShowId,
    episodes: Option<Vec<Episode>>,
    catalog: &dyn Catalog,
) -> Result<Vec<Episode>, Problem> {
    match episodes {
        Some(episodes) => Ok(episodes),
        None => Err(not_stored("episodes", &show_of(id, catalog).await?)),
    }
}

/// The entries of a cast, as TVmaze sent them.
pub(super) async fn cast_of(
    id: ShowId,
    catalog: &dyn Catalog,
) -> Result<Vec<TvmazeObject>, Problem> {
    match catalog.cast(id).await? {
        Some(cast) => Ok(cast.iter().map(|row| row.member.to_tvmaze_object()).collect()),
        None => Err(not_stored("cast", &show_of(id, catalog).await?)),
    }
}

fn not_stored(what: &str, show: &Show) -> Problem {
    let id = show.id;
    not_mirrored(&format!("the {what} of show {id}: DETAILS chooses the shows that have them"))
}

pub(super) fn not_mirrored(what: &str) -> Problem {
    Problem::NotMirrored(format!("this mirror of TVmaze does not hold {what}"))
}

/// The show of a season, and its episodes.
async fn season_of(id: u32, catalog: &dyn Catalog) -> Result<(ShowId, Vec<Episode>), Problem> {
    let unknown = || not_mirrored(&format!("season {id}"));
    let (show, number) = parse_season_id(id).ok_or_else(unknown)?;
    let key = EpisodeKey::Season { show, season: number };
    let episodes = catalog.find_episodes(key).await?.unwrap_or_default();
    if episodes.is_empty() { Err(unknown()) } else { Ok((show, episodes)) }
}

async fn render_page(page: u32, catalog: &dyn Catalog) -> Result<Bytes, Problem> {
    let past_the_end = || Problem::NotMirrored(format!("page {page} is after the last one"));
    let first = page.checked_mul(PAGE_SIZE).ok_or_else(past_the_end)?;
    let ids = (first..=first.saturating_add(PAGE_SIZE - 1)).map(ShowId).collect();
    let filter = ShowFilter { ids: Some(ids), ..ShowFilter::default() };
    let query = ShowQuery { filter, limit: PAGE_SIZE, ..ShowQuery::default() };
    let shows = catalog.shows(query).await?.shows;
    if shows.is_empty() && last_show(catalog).await?.is_none_or(|last| last.0 < first) {
        return Err(past_the_end());
    }
    json(&shows)
}

/// The show with the highest id.
async fn last_show(catalog: &dyn Catalog) -> Result<Option<ShowId>, Problem> {
    let sort = Sort { by: SortBy::Id, descending: true };
    let query = ShowQuery { sort, limit: 1, ..ShowQuery::default() };
    Ok(catalog.shows(query).await?.shows.first().map(|show| show.id))
}

async fn render_search(text: SearchText, catalog: &dyn Catalog) -> Result<Bytes, Problem> {
    #[derive(Serialize)]
    struct ScoredShow<'a> {
        score: f64,
        show: &'a Show,
    }
    let shows = found(text, catalog).await?;
    let scores = (1..).map(|rank: u8| 1.0 / f64::from(rank));
    let results = scores.zip(&shows).map(|(score, show)| ScoredShow { score, show });
    json(&results.collect::<Vec<_>>())
}

/// The shows whose names match, best match first.
async fn found(text: SearchText, catalog: &dyn Catalog) -> Result<Vec<Show>, Problem> {
    if text.as_str().trim().is_empty() {
        return Ok(Vec::new());
    }
    let filter = ShowFilter { text: Some(text), ..ShowFilter::default() };
    let sort = Sort { by: SortBy::Relevance, descending: false };
    let query =
        ShowQuery { filter: filter.clone(), sort, limit: MAX_RESULTS, ..ShowQuery::default() };
    let mut shows = catalog.shows(query).await?.shows;
    // Those whose summary is needed to match come last.
    shows.retain(|show| filter.matches(&Show { name: show.name.clone(), ..Show::default() }));
    Ok(shows)
}

async fn render_updates(since: Option<Since>, catalog: &dyn Catalog) -> Result<Bytes, Problem> {
    // Relative to the publish, so that the response is the same as long as the snapshot is.
    let published_at = catalog.snapshot_version().await?.published_at;
    let cutoff = since.zip(published_at).map(|(since, at)| since.cutoff(at));
    let last_changes = catalog.last_changes().await?;
    json(&Updates { last_changes: &last_changes, cutoff })
}

impl Since {
    fn cutoff(self, published_at: Timestamp) -> i64 {
        let days = match self {
            Since::Day => 1,
            Since::Week => 7,
            Since::Month => 30,
        };
        published_at.as_second() - SignedDuration::from_hours(24 * days).as_secs()
    }
}

struct Updates<'a> {
    last_changes: &'a ShowMap<i64>,
    cutoff: Option<i64>,
}

impl Serialize for Updates<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let is_recent =
            |(_, updated): &(_, &i64)| self.cutoff.is_none_or(|cutoff| **updated >= cutoff);
        serializer.collect_map(self.last_changes.iter().filter(is_recent))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};
    use tvshows_core::RawJson;
    use tvshows_core::conformance::fixtures::{
        at, begin, details_of, episode, pages, publish_at, running, show, success,
    };
    use tvshows_core::memory::MemoryStore;

    use super::*;
    use crate::testing::TestCatalog;

    async fn rendered(content: TvmazeContent, store: &MemoryStore) -> Result<Value, &'static str> {
        let body = content.render(store).await.map_err(|problem| problem.code())?;
        Ok(serde_json::from_slice(&body).unwrap())
    }

    #[tokio::test]
    async fn a_page_without_shows_is_empty_unless_it_is_after_the_last_one() {
        let store = MemoryStore::default();
        let page = |page| rendered(TvmazeContent::Page(page), &store);
        assert_eq!(page(0).await, Err("not_mirrored"), "before the first update");
        publish_at(&store, vec![show(249), show(500), show(749)], 1).await;
        let ids = async |number| {
            let shows = page(number).await.unwrap();
            shows.as_array().unwrap().iter().map(|show| show["id"].clone()).collect::<Vec<_>>()
        };
        assert_eq!(ids(0).await, [249]);
        assert_eq!(ids(1).await, [0; 0]);
        assert_eq!(ids(2).await, [500, 749]);
        for after in [3, u32::MAX / 250, u32::MAX] {
            assert_eq!(page(after).await, Err("not_mirrored"), "{after}");
        }
    }

    #[tokio::test]
    async fn a_summary_that_matches_is_no_match() {
        let store = MemoryStore::default();
        let named = Show { name: "One".into(), weight: Some(1), ..show(1) };
        publish_at(&store, vec![named, show(2)], 1).await;
        let search = |text: &str| rendered(TvmazeContent::Search(text.parse().unwrap()), &store);
        let found = search("one").await.unwrap();
        assert_eq!(
            (&found[0]["show"]["name"], found.as_array().unwrap().len()),
            (&json!("One"), 1)
        );
        assert_eq!(search("two").await, Ok(json!([])));
    }

    #[tokio::test]
    async fn shows_that_changed_long_before_the_publish_are_not_recent() {
        let store = MemoryStore::default();
        let changed = |id, days: i64| {
            let ago = SignedDuration::from_hours(24 * days);
            Show { updated: Some((at(1) - ago).as_second()), ..show(id) }
        };
        let unknown = Show { updated: None, ..show(4) };
        publish_at(&store, vec![changed(1, 1), changed(2, 7), changed(3, 30), unknown], 1).await;
        let ids = async |since| {
            let updates = rendered(TvmazeContent::Updates(since), &store).await.unwrap();
            updates.as_object().unwrap().keys().cloned().collect::<String>()
        };
        assert_eq!(ids(Some(Since::Day)).await, "1");
        assert_eq!(ids(Some(Since::Week)).await, "12");
        assert_eq!(ids(Some(Since::Month)).await, "123");
        assert_eq!(ids(None).await, "1234");
    }

    #[tokio::test]
    async fn the_next_episode_is_the_linked_one() {
        let store = MemoryStore::default();
        let linked = |id, episode: u32| {
            let href = format!("https://api.tvmaze.com/episodes/{episode}");
            let links = json!({"self": {"href": "x"}, "nextepisode": {"href": href}});
            Show { links: Some(RawJson::from_value(&links).unwrap()), ..show(id) }
        };
        let all = [linked(1, 1002), linked(2, 9), show(3), linked(4, 4001)];
        let status = running();
        let session = begin(&store, &status).await;
        session.commit(pages(vec![(0, all.to_vec())], at(2)), &status).await.unwrap();
        for show in &all[..3] {
            let id = show.id.0;
            let episodes = vec![episode(id, 1, "2026-11-24"), episode(id, 2, "2026-11-25")];
            let details = details_of(show, vec![], Some(episodes), at(3));
            session.commit(details, &status).await.unwrap();
        }
        let detailed = [1, 2, 3].map(ShowId);
        session.publish(&[], &detailed, at(4), success(&status)).await.unwrap();

        let embedded = async |id| {
            let embeds = BTreeSet::from([Embed::NextEpisode]);
            let show = rendered(TvmazeContent::Show(ShowId(id), embeds), &store).await;
            show.map(|show| show["_embedded"].clone())
        };
        assert_eq!(embedded(1).await.unwrap()["nextepisode"]["id"], 1002);
        assert_eq!(embedded(2).await, Err("not_mirrored"), "a special");
        assert_eq!(embedded(3).await, Ok(json!({})), "there is none");
        assert_eq!(embedded(4).await, Err("not_mirrored"), "its episodes are not stored");
        assert_eq!(embedded(5).await, Err("show_not_found"));

        let episode = async |id, embeds: &[EpisodeEmbed]| {
            let embeds = embeds.iter().copied().collect();
            rendered(TvmazeContent::Episode(id, embeds), &store).await
        };
        let next = embedded(1).await.unwrap()["nextepisode"].clone();
        assert_eq!(episode(1002, &[]).await.as_ref(), Ok(&next));
        let mut with_show = next;
        with_show["_embedded"] = json!({"show": linked(1, 1002)});
        assert_eq!(episode(1002, &[EpisodeEmbed::Show]).await, Ok(with_show));
        for embed in [EpisodeEmbed::GuestCast, EpisodeEmbed::GuestCrew] {
            let both = [embed, EpisodeEmbed::Show];
            assert_eq!(episode(1002, &both).await, Err("not_mirrored"), "{embed:?}");
        }
        assert_eq!(episode(4001, &[]).await, Err("not_mirrored"));

        let catalog = TestCatalog::of_store(store.clone());
        let embeds = ["episodes", "nextepisode", "previousepisode", "seasons"];
        let embeds = embeds.into_iter().map(|name| name.parse().unwrap()).collect();
        TvmazeContent::Show(ShowId(1), embeds).render(&catalog).await.unwrap();
        assert_eq!(catalog.reads(), 2, "the show, and its episodes once");
    }
}
