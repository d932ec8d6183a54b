use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io;

use async_trait::async_trait;
use jiff::Timestamp;

use super::{MemoryStore, Snapshot, count, list};
use crate::matching::network_name;
use crate::{
    CastRow, Catalog, DetailsCatalog, Episode, EpisodeKey, FacetCount, MakeRowWriter,
    MultiCharacterActor, PublishedManifest, RowCounts, Schedule, ScheduleQuery, Show, ShowFilter,
    ShowId, ShowKey, ShowPage, ShowQuery, ShowStats, SnapshotVersion, StoreError, StoreHealth,
    StoredDetails, StoredShow, Table, TopShow,
};

#[async_trait]
impl Catalog for MemoryStore {
    async fn snapshot_version(&self) -> Result<SnapshotVersion, StoreError> {
        Ok(self.data().version)
    }

    async fn shows(&self, query: ShowQuery) -> Result<ShowPage, StoreError> {
        let data = self.data();
        Ok(list::page(data.published.shows.values().map(|stored| &stored.show), &query))
    }

    async fn show(&self, key: ShowKey) -> Result<Option<Show>, StoreError> {
        let data = self.data();
        let shows = &data.published.shows;
        let found = match &key {
            ShowKey::Id(id) => shows.get(id),
            ShowKey::External(id) => shows.values().find(|stored| id.identifies(&stored.show)),
        };
        Ok(found.map(|stored| stored.show.clone()))
    }

    async fn top_shows(&self, limit: u32) -> Result<Vec<TopShow>, StoreError> {
        let data = self.data();
        let Snapshot { shows, top, .. } = &data.published;
        let top = top.iter().filter_map(|id| shows.get(id)).map(|stored| &stored.show);
        let top = top.map(|show| TopShow {
            id: show.id,
            name: show.name.clone(),
            rating: show.rating_average,
            premiered: show.premiered.clone(),
        });
        Ok(top.take(usize::try_from(limit).unwrap_or(usize::MAX)).collect())
    }

    async fn multi_character_actors(&self) -> Result<Vec<MultiCharacterActor>, StoreError> {
        let data = self.data();
        let mut characters: BTreeMap<(&str, u32), BTreeSet<u32>> = BTreeMap::new();
        for member in data.published.top_cast() {
            let person = (member.person_name.as_str(), member.person_id);
            characters.entry(person).or_default().insert(member.character_id);
        }
        let actors = characters.into_iter().map(|((name, _), characters)| MultiCharacterActor {
            person_name: name.to_owned(),
            character_count: count(characters.len()),
        });
        let mut actors: Vec<_> = actors.filter(|actor| actor.character_count > 1).collect();
        actors.sort_by_key(|actor| Reverse(actor.character_count));
        Ok(actors)
    }

    async fn stats(&self) -> Result<ShowStats, StoreError> {
        let data = self.data();
        let Snapshot { shows, top, details, .. } = &data.published;
        let shows: Vec<&Show> = shows.values().map(|stored| &stored.show).collect();
        let by =
            |value: fn(&Show) -> Option<String>| by_count(shows.iter().map(|show| value(show)));
        let genres = shows.iter().flat_map(|show| match &show.genres[..] {
            [] => vec![None],
            genres => genres.iter().cloned().map(Some).collect(),
        });
        let mut networks = by(network_name);
        networks.truncate(50);
        #[expect(clippy::cast_possible_truncation, reason = "a rating is 0 to 10")]
        let rating = |show: &&Show| show.rating_average.map(|rating| rating.floor() as i64);
        Ok(ShowStats {
            snapshot: data.version.number,
            published_at: data.version.published_at,
            tables: RowCounts {
                all_shows: shows.len() as u64,
                top_shows: top.len() as u64,
                top_shows_cast: data.published.top_cast().count() as u64,
                episodes: details.values().map(|stored| stored.episodes().len() as u64).sum(),
                show_cast: details.values().map(|stored| stored.details.cast.len() as u64).sum(),
            },
            premiere_years: by_value(shows.iter().map(|show| show.premiere_year().map(i64::from))),
            ratings: by_value(shows.iter().map(rating)),
            genres: by_count(genres),
            languages: by(|show| show.language.clone()),
            networks,
            statuses: by(|show| show.status.clone()),
            types: by(|show| show.kind.clone()),
        })
    }

    async fn manifest(&self) -> Result<PublishedManifest, StoreError> {
        Ok(self.data().published.manifest())
    }

    async fn export(&self, _: Table, _: ShowFilter, _: MakeRowWriter) -> Result<(), StoreError> {
        Err(unsupported())
    }

    async fn backup_to(&self, _: Box<dyn io::Write + Send>) -> Result<(), StoreError> {
        Err(unsupported())
    }

    async fn health(&self) -> Result<StoreHealth, StoreError> {
        Ok(StoreHealth {
            schema: 0,
            is_writable: true,
            database_bytes: 0,
            wal_bytes: None,
            free_bytes: None,
            replica: None,
        })
    }

    async fn integrity_check(&self) -> Result<Vec<String>, StoreError> {
        Ok(Vec::new())
    }
}

#[async_trait]
impl DetailsCatalog for MemoryStore {
    async fn cast(&self, show: ShowId) -> Result<Option<Vec<CastRow>>, StoreError> {
        Ok(self.data().published.details.get(&show).map(|stored| {
            let rows = (0..).zip(&stored.details.cast).map(|(position, member)| CastRow {
                member: member.clone(),
                processed_at: stored.processed_at,
                position,
            });
            rows.collect()
        }))
    }

    async fn episodes(&self, show: ShowId) -> Result<Option<Vec<Episode>>, StoreError> {
        let data = self.data();
        Ok(data.published.details.get(&show).and_then(|stored| stored.details.episodes.clone()))
    }

    async fn find_episodes(&self, key: EpisodeKey) -> Result<Option<Vec<Episode>>, StoreError> {
        let data = self.data();
        let details = &data.published.details;
        let is_found = |episode: &&Episode| key.matches(episode);
        let Some(show) = key.show() else {
            let episode = details.values().flat_map(StoredDetails::episodes).find(is_found);
            return Ok(episode.map(|episode| vec![episode.clone()]));
        };
        let episodes = details.get(&show).and_then(|stored| stored.details.episodes.as_ref());
        Ok(episodes.map(|episodes| episodes.iter().filter(is_found).cloned().collect()))
    }

    async fn schedule(&self, query: ScheduleQuery) -> Result<Schedule, StoreError> {
        let data = self.data();
        let (first, last) = (query.first.to_string(), query.last.to_string());
        let is_in = |day: &str| (first.as_str()..=last.as_str()).contains(&day);
        let Snapshot { shows, details, .. } = &data.published;
        let mut schedule = Schedule::default();
        for (id, stored) in details {
            let Some(StoredShow { show, .. }) = shows.get(id) else { continue };
            let airs = |episode: &&Episode| episode.airdate.as_deref().is_some_and(is_in);
            let episodes: Vec<_> = stored.episodes().iter().filter(airs).cloned().collect();
            if !episodes.is_empty() && query.filter.matches(show) {
                schedule.episodes.extend(episodes);
                schedule.shows.insert(*id, show.clone());
            }
        }
        schedule.episodes.sort_by(|one, other| {
            let moment = |episode: &Episode| {
                let stamp =
                    episode.airstamp.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
                (episode.airdate.clone(), stamp.is_none(), stamp)
            };
            moment(one).cmp(&moment(other))
        });
        Ok(schedule)
    }
}

fn unsupported() -> StoreError {
    StoreError::InvalidDatabase { reason: "it is in memory and has no files to export".into() }
}

fn by_count(values: impl Iterator<Item = Option<String>>) -> Vec<FacetCount<String>> {
    let mut counts = by_value(values);
    FacetCount::sort_by_count(&mut counts);
    counts
}

/// In the order of the values, `None` last.
fn by_value<T: Ord>(values: impl Iterator<Item = Option<T>>) -> Vec<FacetCount<T>> {
    let mut counts: BTreeMap<Option<T>, u64> = BTreeMap::new();
    values.for_each(|value| *counts.entry(value).or_default() += 1);
    let none = counts.remove(&None).map(|count| (None, count));
    let counts = counts.into_iter().chain(none);
    counts.map(|(value, count)| FacetCount { value, count }).collect()
}
