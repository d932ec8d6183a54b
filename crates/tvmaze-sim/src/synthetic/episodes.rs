use fastrand::Rng;
use jiff::ToSpan;
use jiff::civil::{Date, Time, date};
use jiff::tz::TimeZone;

use super::names::slug;
use super::rng::{Stream, choose, permille, rng_for, weighted};
use super::show::rating;
use super::weekly::Weekly;
use super::wordlists::EPISODE_TITLES;
use crate::payload::{Episode, EpisodeLinks, Image, Link, Rating, Season, SelfLink, Show};

const MAX_SEASONS: u32 = 8;

/// The first id of the seasons beyond [`MAX_SEASONS`], which weekly episodes add.
const FIRST_LATER_SEASON: u32 = 100_000_000;

/// When the fixed dataset ends: no past episode is later, no future one earlier.
pub(super) const END: Date = date(2026, 7, 1);

/// The offsets of the ids of specials and of announced episodes among the 250 ids of a show.
const FIRST_SPECIAL: u32 = 220;
const FIRST_ANNOUNCED: u32 = 230;
const MAX_ANNOUNCED: u32 = 20;

/// The weekly episodes of a show, in broadcast order, from the premiere to the previous episode of its
/// links, and then the next one, or those of `weekly`. A few shows have specials among them.
///
/// Each change of the show postpones its last episode by a day, and announces another without a date.
/// An episode has the id of the link to it, except where `is_taken` says that another one has it.
pub(super) fn episodes(
    seed: u64,
    show: &Show,
    changes: u32,
    weekly: Option<&Weekly>,
    is_taken: impl Fn(u32) -> bool,
) -> Vec<Episode> {
    let zone = time_zone(show);
    let rng = &mut rng_for(seed, Stream::Episodes, show.id);
    let mut episodes = aired(rng, show, &zone);
    if let (Some(episode), Some(link)) = (episodes.last_mut(), &show.links.previousepisode) {
        follow_link(episode, link, show, &is_taken);
    }
    if let Some(weekly) = weekly {
        let season = episodes.last().map_or(0, |episode| episode.season);
        episodes.extend(weekly.episodes(seed, show, season));
    } else if let (Some(previous), Some(link)) = (episodes.last(), &show.links.nextepisode) {
        let airdate = previous.airdate.max(Some(END)).map(|date| later(date, rng.i64(1..=56)));
        let number = previous.number.unwrap_or_default() + 1;
        let mut next = episode(rng, show, &zone, previous.season, number, airdate);
        follow_link(&mut next, link, show, &is_taken);
        episodes.push(next);
    }
    if let Some(last) = episodes.last_mut().filter(|_| changes > 0) {
        last.airdate = last.airdate.map(|date| later(date, changes.into()));
        last.airstamp = airstamp(last.airdate, last.airtime, &zone);
    }
    add_specials(rng, show, &zone, &mut episodes);
    let season = episodes.iter().map(|episode| episode.season).max().unwrap_or(1);
    let last = episodes.iter().filter(|episode| episode.season == season);
    let last = last.filter_map(|episode| episode.number).max().unwrap_or_default();
    let announced = 1..=changes.min(MAX_ANNOUNCED);
    episodes.extend(announced.map(|n| announcement(show, season, last + n, n)));
    episodes
}

/// The seasons of a show with these episodes.
pub(super) fn seasons(show: &Show, episodes: &[Episode]) -> Vec<Season> {
    let last = episodes.iter().map(|episode| episode.season).max().unwrap_or_default();
    let season = |number: u32| {
        let regular = || {
            episodes.iter().filter(|episode| episode.season == number && episode.number.is_some())
        };
        let dates = || regular().filter_map(|episode| episode.airdate);
        let id = season_id(show.id, number);
        (regular().count() > 0).then(|| Season {
            id,
            url: format!(
                "https://www.tvmaze.com/seasons/{id}/{}-season-{number}",
                slug(&show.name)
            ),
            number,
            name: "",
            episode_order: regular().count(),
            premiere_date: dates().min(),
            end_date: dates().max(),
            network: show.network,
            web_channel: show.web_channel,
            image: None,
            summary: None,
            links: SelfLink { this: Link::to(&format!("seasons/{id}")) },
        })
    };
    (1..=last).filter_map(season).collect()
}

fn season_id(show: u32, number: u32) -> u32 {
    if number <= MAX_SEASONS {
        show.wrapping_mul(MAX_SEASONS + 1).wrapping_add(number)
    } else {
        FIRST_LATER_SEASON.wrapping_add(show.wrapping_mul(100)).wrapping_add(number)
    }
}

/// The episodes that have been broadcast. A show that has a premiere has at least its first episode.
fn aired(rng: &mut Rng, show: &Show, zone: &TimeZone) -> Vec<Episode> {
    let parse = |text: &Option<String>| text.as_deref().and_then(|text| text.parse::<Date>().ok());
    let Some(premiered) = parse(&show.premiered) else { return Vec::new() };
    let last = parse(&show.ended).unwrap_or(END).max(premiered);
    let mut episodes = Vec::new();
    for season in 0..rng.u32(1..=MAX_SEASONS) {
        let start = later(premiered, i64::from(season) * 52 * 7);
        for number in 0..weighted(rng, &[(6, 2), (8, 3), (10, 4), (13, 3), (22, 2)]) {
            let airdate = later(start, i64::from(number) * 7);
            if airdate <= last {
                episodes.push(episode(rng, show, zone, season + 1, number + 1, Some(airdate)));
            }
        }
    }
    episodes
}

/// Gives one show in six specials: one in about half of its seasons, two days after the first episode.
fn add_specials(rng: &mut Rng, show: &Show, zone: &TimeZone, episodes: &mut Vec<Episode>) {
    if !permille(rng, 167) {
        return;
    }
    let first = |season: u32| {
        let mut of_season = episodes.iter().filter(|episode| episode.season == season);
        of_season.next().and_then(|episode| episode.airdate)
    };
    let dates: Vec<(u32, Option<Date>)> =
        (1..=MAX_SEASONS).map(|season| (season, first(season))).collect();
    for (season, date) in dates {
        let Some(airdate) = date.filter(|_| permille(rng, 500)) else { continue };
        let mut special = episode(rng, show, zone, season, 0, Some(later(airdate, 2)));
        special.id = first_id(show).wrapping_add(FIRST_SPECIAL + season);
        special.number = None;
        special.summary = special.summary.map(|_| format!("<p>The making of season {season}.</p>"));
        special.kind =
            if permille(rng, 600) { "insignificant_special" } else { "significant_special" };
        locate(&mut special, show);
        episodes.push(special);
    }
    // Stable: the next episode stays behind those of the same day.
    episodes.sort_by_key(|episode| episode.airdate);
}

fn announcement(show: &Show, season: u32, number: u32, n: u32) -> Episode {
    let mut episode = Episode {
        id: first_id(show).wrapping_add(FIRST_ANNOUNCED + n),
        url: String::new(),
        name: "TBA".to_owned(),
        season,
        number: Some(number),
        kind: "regular",
        airdate: None,
        airtime: "",
        airstamp: None,
        runtime: show.runtime,
        rating: Rating { average: None },
        image: None,
        summary: None,
        links: links(show),
    };
    locate(&mut episode, show);
    episode
}

pub(super) fn later(date: Date, days: i64) -> Date {
    date.saturating_add(days.days())
}

/// The first of the 250 ids of a show.
fn first_id(show: &Show) -> u32 {
    4_000_000_u32.wrapping_add(show.id.wrapping_mul(250))
}

pub(super) fn episode(
    rng: &mut Rng,
    show: &Show,
    zone: &TimeZone,
    season: u32,
    number: u32,
    airdate: Option<Date>,
) -> Episode {
    let airtime = show.schedule.time;
    let runtime = show.runtime.or(show.average_runtime);
    let mut episode = Episode {
        id: first_id(show).wrapping_add(season * 24 + number),
        url: String::new(),
        name: (*choose(rng, EPISODE_TITLES)).to_owned(),
        season,
        number: Some(number),
        kind: "regular",
        airdate,
        airtime,
        airstamp: airstamp(airdate, airtime, zone),
        runtime: runtime.filter(|_| !permille(rng, 30)),
        rating: rating(rng),
        image: permille(rng, 300).then(|| Image::landscape(rng.u32(1..1_600_000))),
        summary: permille(rng, 500).then(|| format!("<p>Part {number} of season {season}.</p>")),
        links: links(show),
    };
    locate(&mut episode, show);
    episode
}

/// The time zone of a show's network or web channel; UTC if it is available worldwide.
pub(super) fn time_zone(show: &Show) -> TimeZone {
    let country = show.network.or(show.web_channel).and_then(|channel| channel.country);
    country.and_then(|country| TimeZone::get(country.timezone).ok()).unwrap_or(TimeZone::UTC)
}

/// The moment of the broadcast: noon in the network's time zone if the time is unknown, as at TVmaze.
fn airstamp(airdate: Option<Date>, airtime: &str, zone: &TimeZone) -> Option<String> {
    let time = airtime.parse().unwrap_or(Time::constant(12, 0, 0, 0));
    let moment = airdate?.to_datetime(time).to_zoned(zone.clone()).ok()?.timestamp();
    Some(moment.strftime("%Y-%m-%dT%H:%M:%S+00:00").to_string())
}

fn links(show: &Show) -> EpisodeLinks {
    let show = Link { name: Some(show.name.clone()), ..Link::to(&format!("shows/{}", show.id)) };
    EpisodeLinks { this: Link::to(""), show }
}

/// Sets the URLs of an episode, which follow from its id, number and name.
pub(super) fn locate(episode: &mut Episode, show: &Show) {
    let Episode { id, season, ref name, number, .. } = *episode;
    let (show, name) = (slug(&show.name), slug(name));
    let number = match number {
        Some(number) => format!("{season}x{number:02}"),
        None => format!("s{season:02}-special"),
    };
    episode.url = format!("https://www.tvmaze.com/episodes/{id}/{show}-{number}-{name}");
    episode.links.this = Link::to(&format!("episodes/{id}"));
}

/// Gives an episode the name and, unless it is taken, the id that the show's link has.
fn follow_link(episode: &mut Episode, link: &Link, show: &Show, is_taken: impl Fn(u32) -> bool) {
    let id = link.episode_id().filter(|&id| !is_taken(id));
    episode.id = id.unwrap_or(episode.id);
    episode.name = link.name.clone().unwrap_or_default();
    locate(episode, show);
}
