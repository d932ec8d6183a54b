use fastrand::Rng;

use super::countries::COUNTRIES;
use super::genres::genres;
use super::names::{show_name, slug};
use super::networks::channels;
use super::rng::{Stream, choose, date, permille, rng_for, weighted};
use super::summary::summary;
use super::timestamps::show_updated;
use super::wordlists::{EPISODE_TITLES, WEEKDAYS};
use crate::payload::{Externals, Image, Link, Rating, Schedule, Score, Show, ShowLinks};

const PREMIERE_YEARS: std::ops::RangeInclusive<u32> = 1950..=2026;

/// The show with this id. Nulls and odd values are as frequent as in some 3,000 recorded shows.
pub(super) fn show(seed: u64, id: u32) -> Show {
    let rng = &mut rng_for(seed, Stream::Show, id);
    let kind = kind(rng);
    let language = language(rng);
    let name = show_name(rng, language);
    let slug = slug(&name);
    let status = status(rng);
    let (premiered, ended) = lifetime(rng, status);
    let runtime = (!permille(rng, 280)).then(|| minutes(rng));
    let (network, web_channel) = channels(rng);
    Show {
        id,
        url: format!("https://www.tvmaze.com/shows/{id}/{slug}"),
        kind,
        language,
        genres: genres(rng),
        status,
        runtime,
        average_runtime: average_runtime(rng, runtime),
        premiered,
        ended,
        official_site: (!permille(rng, 240))
            .then(|| format!("https://www.{slug}.example/shows/{slug}/")),
        schedule: schedule(rng),
        rating: rating(rng),
        weight: if permille(rng, 47) { 0 } else { rng.u8(1..=100) },
        network,
        web_channel,
        dvd_country: permille(rng, 4).then(|| choose(rng, COUNTRIES)),
        externals: externals(rng),
        image: (!permille(rng, 34)).then(|| Image::portrait(rng.u32(1..1_600_000))),
        summary: summary(rng, &name),
        updated: show_updated(seed, id),
        links: links(rng, id, status),
        name,
    }
}

/// The type of a show. It uses the first random number, so that the cast can get it by itself.
pub(super) fn kind(rng: &mut Rng) -> &'static str {
    weighted(
        rng,
        &[
            ("Scripted", 485),
            ("Reality", 130),
            ("Animation", 104),
            ("Documentary", 99),
            ("Talk Show", 70),
            ("News", 48),
            ("Variety", 22),
            ("Game Show", 22),
            ("Sports", 15),
            ("Panel Show", 3),
            ("Award Show", 2),
        ],
    )
}

fn language(rng: &mut Rng) -> Option<&'static str> {
    let languages = [
        (Some("English"), 500),
        (Some("Chinese"), 85),
        (Some("Japanese"), 70),
        (Some("Korean"), 55),
        (Some("Russian"), 50),
        (Some("Spanish"), 45),
        (Some("French"), 35),
        (Some("German"), 35),
        (Some("Norwegian"), 30),
        (Some("Swedish"), 20),
        (Some("Dutch"), 15),
        (Some("Ukrainian"), 15),
        (Some("Thai"), 15),
        (Some("Hindi"), 10),
        (None, 20),
    ];
    weighted(rng, &languages)
}

fn status(rng: &mut Rng) -> &'static str {
    let statuses =
        [("Ended", 510), ("Running", 415), ("To Be Determined", 70), ("In Development", 5)];
    weighted(rng, &statuses)
}

/// The dates of the premiere and of the end, if known; the end is never before the premiere.
fn lifetime(rng: &mut Rng, status: &str) -> (Option<String>, Option<String>) {
    if status == "In Development" {
        return (None, None);
    }
    // The minimum of three ages, since most shows are recent.
    let age = |rng: &mut Rng| rng.u32(0..=PREMIERE_YEARS.end() - PREMIERE_YEARS.start());
    let year = PREMIERE_YEARS.end() - age(rng).min(age(rng)).min(age(rng));
    let premiered = date(rng, year..=year);
    let last = (year + 12).min(*PREMIERE_YEARS.end());
    let ended = (status == "Ended" && !permille(rng, 150))
        .then(|| date(rng, year..=last).max(premiered.clone()));
    (Some(premiered), ended)
}

fn minutes(rng: &mut Rng) -> u32 {
    weighted(
        rng,
        &[
            (60, 40),
            (30, 25),
            (45, 8),
            (90, 5),
            (120, 4),
            (15, 4),
            (20, 4),
            (10, 3),
            (50, 3),
            (300, 1),
        ],
    )
}

fn average_runtime(rng: &mut Rng, runtime: Option<u32>) -> Option<u32> {
    match runtime {
        Some(runtime) if permille(rng, 650) => Some(runtime),
        _ if permille(rng, 80) => None,
        _ => Some(rng.u32(3..=95)),
    }
}

fn schedule(rng: &mut Rng) -> Schedule {
    let times = [
        ("", 37),
        ("20:00", 12),
        ("21:00", 20),
        ("22:00", 16),
        ("12:00", 5),
        ("21:30", 5),
        ("06:00", 5),
    ];
    let days = weighted(rng, &[(0, 170), (1, 655), (2, 50), (3, 15), (5, 80), (7, 30)]);
    let first = if days == 1 { rng.usize(..WEEKDAYS.len()) } else { 0 };
    Schedule { time: weighted(rng, &times), days: WEEKDAYS[first..first + days].to_vec() }
}

pub(super) fn rating(rng: &mut Rng) -> Rating {
    if permille(rng, 540) {
        return Rating { average: None };
    }
    // The sum of three numbers is around 7 on average; 3 % of the ratings are uniform.
    let tenths: u8 = (0..3).map(|_| rng.u8(13..=33)).sum();
    let tenths = if permille(rng, 30) { rng.u8(10..=100) } else { tenths };
    let average = if tenths.is_multiple_of(10) {
        Score::Whole(tenths / 10)
    } else {
        Score::Tenths(f64::from(tenths) / 10.0)
    };
    Rating { average: Some(average) }
}

fn externals(rng: &mut Rng) -> Externals {
    Externals {
        tvrage: (!permille(rng, 580)).then(|| rng.u32(1_000..52_000)),
        thetvdb: (!permille(rng, 200)).then(|| rng.u32(70_000..460_000)),
        imdb: (!permille(rng, 310)).then(|| format!("tt{:07}", rng.u32(40_000..33_000_000))),
    }
}

fn links(rng: &mut Rng, id: u32, status: &str) -> ShowLinks {
    let mut episode = || Link {
        name: Some((*choose(rng, EPISODE_TITLES)).to_owned()),
        ..Link::to(&format!("episodes/{}", rng.u32(1..3_300_000)))
    };
    let (previous, next) = (episode(), episode());
    ShowLinks {
        this: Link::to(&format!("shows/{id}")),
        previousepisode: (status != "In Development").then_some(previous),
        nextepisode: (status == "Running" && permille(rng, 370)).then_some(next),
    }
}
