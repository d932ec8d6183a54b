use fastrand::Rng;
use jiff::ToSpan;
use jiff::civil::{Date, date};

use super::names::slug;
use super::rng::{Stream, choose, permille, rng_for, weighted};
use super::show::{rating, show};
use super::wordlists::EPISODE_TITLES;
use crate::payload::{Episode, EpisodeLinks, Link, Show};

const MAX_SEASONS: u32 = 8;

/// When the dataset ends: no past episode is later, no future one earlier.
const END: Date = date(2026, 7, 1);

/// The weekly episodes of a show, in broadcast order, from the premiere to the previous episode of its
/// links, and then the next one.
pub(super) fn episodes(seed: u64, id: u32) -> Vec<Episode> {
    let show = show(seed, id);
    let Some(premiered) = show.premiered.as_deref().and_then(|text| text.parse().ok()) else {
        return Vec::new();
    };
    let rng = &mut rng_for(seed, Stream::Episodes, id);
    let last: Date = show.ended.as_deref().and_then(|text| text.parse().ok()).unwrap_or(END);
    let mut episodes = Vec::new();
    for season in 0..rng.u32(1..=MAX_SEASONS) {
        let start = later(premiered, i64::from(season) * 52);
        for number in 0..weighted(rng, &[(6, 2), (8, 3), (10, 4), (13, 3), (22, 2)]) {
            let airdate = later(start, i64::from(number));
            // A show has at least its first episode.
            if airdate <= last.max(premiered) {
                episodes.push(episode(rng, &show, season + 1, number + 1, airdate));
            }
        }
    }
    if let (Some(episode), Some(link)) = (episodes.last_mut(), &show.links.previousepisode) {
        follow_link(episode, link, &show);
    }
    if let (Some(previous), Some(link)) = (episodes.last(), &show.links.nextepisode) {
        let week = previous.airdate.max(END);
        let airdate = later(week, rng.i64(1..=8));
        let mut next = episode(rng, &show, previous.season, previous.number + 1, airdate);
        follow_link(&mut next, link, &show);
        episodes.push(next);
    }
    episodes
}

fn later(date: Date, weeks: i64) -> Date {
    date.saturating_add(weeks.weeks())
}

fn episode(rng: &mut Rng, show: &Show, season: u32, number: u32, airdate: Date) -> Episode {
    let id =
        4_000_000_u32.wrapping_add(show.id.wrapping_mul(250)).wrapping_add(season * 24 + number);
    let airtime = show.schedule.time;
    let name = (*choose(rng, EPISODE_TITLES)).to_owned();
    let this = Link::to(&format!("episodes/{id}"));
    let parent = Link { name: Some(show.name.clone()), ..Link::to(&format!("shows/{}", show.id)) };
    Episode {
        id,
        url: url(id, show, season, number, &name),
        name,
        season,
        number,
        kind: "regular",
        airdate,
        airtime,
        // Noon if the time is unknown, as at TVmaze. All networks are in UTC here.
        airstamp: format!(
            "{airdate}T{}:00+00:00",
            if airtime.is_empty() { "12:00" } else { airtime }
        ),
        runtime: show.runtime.or(show.average_runtime),
        rating: rating(rng),
        image: None,
        summary: permille(rng, 500).then(|| format!("<p>Part {number} of season {season}.</p>")),
        links: EpisodeLinks { this, show: parent },
    }
}

fn url(id: u32, show: &Show, season: u32, number: u32, name: &str) -> String {
    let (show, name) = (slug(&show.name), slug(name));
    format!("https://www.tvmaze.com/episodes/{id}/{show}-{season}x{number:02}-{name}")
}

/// Gives an episode the id and the name that the show's link has.
fn follow_link(episode: &mut Episode, link: &Link, show: &Show) {
    let id = link.href.rsplit('/').next().and_then(|id| id.parse().ok());
    episode.id = id.unwrap_or(episode.id);
    episode.name = link.name.clone().unwrap_or_default();
    episode.url = url(episode.id, show, episode.season, episode.number, &episode.name);
    episode.links.this = Link::to(&format!("episodes/{}", episode.id));
}
