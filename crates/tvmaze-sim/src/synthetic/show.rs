use fastrand::Rng;

use super::chance::{Purpose, date, in_thousand, one, random, weighted, word};
use super::channels::{COUNTRIES, channels};
use super::genres::genres;
use super::text::{name, slug, summary};
use super::updated;
use super::words::{EPISODES, WEEKDAYS};
use crate::shape::{Externals, Image, Link, Rating, Schedule, Score, Show, ShowLinks};

/// The years in which shows premiered.
const PREMIERED: std::ops::RangeInclusive<u32> = 1950..=2026;

/// One show. The proportions of nulls and odd values are those of some 3,000 recorded shows.
pub(super) fn show(seed: u64, id: u32) -> Show {
    let random = &mut random(seed, Purpose::Show, id);
    let kind = kind(random);
    let language = language(random);
    let name = name(random, language);
    let slug = slug(&name);
    let status = status(random);
    let (premiered, ended) = lifetime(random, status);
    let runtime = (!in_thousand(random, 280)).then(|| minutes(random));
    let (network, web_channel) = channels(random);
    Show {
        id,
        url: format!("https://www.tvmaze.com/shows/{id}/{slug}"),
        kind,
        language,
        genres: genres(random),
        status,
        runtime,
        average_runtime: average_runtime(random, runtime),
        premiered,
        ended,
        official_site: (!in_thousand(random, 240))
            .then(|| format!("https://www.{slug}.example/shows/{slug}/")),
        schedule: schedule(random),
        rating: rating(random),
        weight: if in_thousand(random, 47) { 0 } else { random.u8(1..=100) },
        network,
        web_channel,
        dvd_country: in_thousand(random, 4).then(|| one(random, COUNTRIES)),
        externals: externals(random),
        image: (!in_thousand(random, 34)).then(|| Image::portrait(random.u32(1..1_600_000))),
        summary: summary(random, &name),
        updated: updated(seed, id),
        links: links(random, id, status),
        name,
    }
}

/// What kind of show this is; the cast must know too, so it is drawn first.
pub(super) fn kind(random: &mut Rng) -> &'static str {
    weighted(
        random,
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

fn language(random: &mut Rng) -> Option<&'static str> {
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
    weighted(random, &languages)
}

fn status(random: &mut Rng) -> &'static str {
    let statuses =
        [("Ended", 510), ("Running", 415), ("To Be Determined", 70), ("In Development", 5)];
    weighted(random, &statuses)
}

/// When a show began and ended: unknown in part, never the wrong way round.
fn lifetime(random: &mut Rng, status: &str) -> (Option<String>, Option<String>) {
    if status == "In Development" {
        return (None, None);
    }
    // The least of three ages: most shows are young.
    let age = |random: &mut Rng| random.u32(0..=PREMIERED.end() - PREMIERED.start());
    let year = PREMIERED.end() - age(random).min(age(random)).min(age(random));
    let premiered = date(random, year..=year);
    let last = (year + 12).min(*PREMIERED.end());
    let ended = (status == "Ended" && !in_thousand(random, 150))
        .then(|| date(random, year..=last).max(premiered.clone()));
    (Some(premiered), ended)
}

fn minutes(random: &mut Rng) -> u32 {
    weighted(
        random,
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

fn average_runtime(random: &mut Rng, runtime: Option<u32>) -> Option<u32> {
    match runtime {
        Some(runtime) if in_thousand(random, 650) => Some(runtime),
        _ if in_thousand(random, 80) => None,
        _ => Some(random.u32(3..=95)),
    }
}

fn schedule(random: &mut Rng) -> Schedule {
    let times = [
        ("", 37),
        ("20:00", 12),
        ("21:00", 20),
        ("22:00", 16),
        ("12:00", 5),
        ("21:30", 5),
        ("06:00", 5),
    ];
    let days = weighted(random, &[(0, 170), (1, 655), (2, 50), (3, 15), (5, 80), (7, 30)]);
    let first = if days == 1 { random.usize(..WEEKDAYS.len()) } else { 0 };
    Schedule { time: weighted(random, &times), days: WEEKDAYS[first..first + days].to_vec() }
}

fn rating(random: &mut Rng) -> Rating {
    if in_thousand(random, 540) {
        return Rating { average: None };
    }
    // The mean of three: around 7, with a few very bad and very good ones.
    let tenths: u8 = (0..3).map(|_| random.u8(13..=33)).sum();
    let tenths = if in_thousand(random, 30) { random.u8(10..=100) } else { tenths };
    let average = if tenths.is_multiple_of(10) {
        Score::Whole(tenths / 10)
    } else {
        Score::Tenths(f64::from(tenths) / 10.0)
    };
    Rating { average: Some(average) }
}

fn externals(random: &mut Rng) -> Externals {
    Externals {
        tvrage: (!in_thousand(random, 580)).then(|| random.u32(1_000..52_000)),
        thetvdb: (!in_thousand(random, 200)).then(|| random.u32(70_000..460_000)),
        imdb: (!in_thousand(random, 310))
            .then(|| format!("tt{:07}", random.u32(40_000..33_000_000))),
    }
}

fn links(random: &mut Rng, id: u32, status: &str) -> ShowLinks {
    let mut episode = || Link {
        name: Some(word(random, EPISODES).to_owned()),
        ..Link::to(&format!("episodes/{}", random.u32(1..3_300_000)))
    };
    let (previous, next) = (episode(), episode());
    ShowLinks {
        this: Link::to(&format!("shows/{id}")),
        previousepisode: (status != "In Development").then_some(previous),
        nextepisode: (status == "Running" && in_thousand(random, 370)).then_some(next),
    }
}
