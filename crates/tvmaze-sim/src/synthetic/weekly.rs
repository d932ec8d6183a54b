use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;

use super::episodes::{END, episode, later, locate, time_zone};
use super::rng::{Stream, rng_for};
use super::wordlists::WEEKDAYS;
use crate::payload::{Episode, Link, Show};

/// How many episodes a show has announced.
const ANNOUNCED: u32 = 12;

/// Above all other ids. Each show has 1,000, which is enough until 2045.
const FIRST_ID: u32 = 1_000_000_000;
const IDS_PER_SHOW: u32 = 1_000;

/// The weekly episodes that a running show has after the end of the fixed dataset.
///
/// Only their number depends on the day: on the day after each broadcast, the show announces another one.
pub(super) struct Weekly {
    first: Date,
    /// How many were broadcast before today.
    aired: u32,
}

impl Weekly {
    /// `None` for a show without a next episode, and for a day that the fixed dataset covers.
    pub(super) fn new(show: &Show, today: Date) -> Option<Weekly> {
        if today <= END || show.links.nextepisode.is_none() {
            return None;
        }
        let premiered = show.premiered.as_deref().and_then(|date| date.parse().ok());
        let first = END.max(premiered.unwrap_or(END)).nth_weekday(1, weekday(show)).ok()?;
        let days = today.duration_since(first).as_hours() / 24;
        let aired = u32::try_from(days + 6).unwrap_or_default() / 7;
        Some(Weekly { first, aired })
    }

    /// Links the show to its previous and its next episode, and sets when it last changed: at midnight after the
    /// previous one.
    pub(super) fn update(&self, seed: u64, show: &mut Show) {
        let link = |episode: &Episode| Link {
            name: Some(episode.name.clone()),
            ..Link::to(&format!("episodes/{}", episode.id))
        };
        show.links.nextepisode = Some(link(&self.episode(seed, show, 0, self.aired)));
        let mut changed = END;
        if let Some(previous) = self.aired.checked_sub(1) {
            show.links.previousepisode = Some(link(&self.episode(seed, show, 0, previous)));
            changed = later(self.airdate(previous), 1);
        }
        let midnight = changed.to_zoned(TimeZone::UTC).map(|midnight| midnight.timestamp());
        let seconds = midnight.ok().and_then(|midnight| midnight.as_second().try_into().ok());
        show.updated = seconds.unwrap_or(show.updated);
    }

    /// All of them, in seasons after the season `last`.
    pub(super) fn episodes(&self, seed: u64, show: &Show, last: u32) -> Vec<Episode> {
        (0..self.aired + ANNOUNCED).map(|n| self.episode(seed, show, last, n)).collect()
    }

    fn episode(&self, seed: u64, show: &Show, last_season: u32, n: u32) -> Episode {
        let id = show.id.wrapping_mul(IDS_PER_SHOW).wrapping_add(n).wrapping_add(FIRST_ID);
        let rng = &mut rng_for(seed, Stream::Weekly, id);
        let season_length = 12 + show.id % 15;
        let (season, number) = (n / season_length + 1, n % season_length + 1);
        let zone = time_zone(show);
        let airdate = Some(self.airdate(n));
        let mut episode = episode(rng, show, &zone, last_season + season, number, airdate);
        episode.id = id;
        locate(&mut episode, show);
        episode
    }

    fn airdate(&self, n: u32) -> Date {
        later(self.first, i64::from(n) * 7)
    }
}

/// The first day of the show's schedule. Shows without one are on all days.
fn weekday(show: &Show) -> Weekday {
    let scheduled = show.schedule.days.first();
    let number = scheduled.and_then(|day| (0..).zip(WEEKDAYS).find(|(_, name)| name == day));
    Weekday::Monday.wrapping_add(number.map_or(show.id % 7, |(number, _)| number))
}
