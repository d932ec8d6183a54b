//! The iCalendar form (RFC 5545) of a schedule.

use std::collections::HashSet;
use std::fmt::{Display, Write};

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tvshows_core::{Episode, Schedule, Show};
use tvshows_pipeline::plain_text;

/// The longest line, in octets, without its end.
const MAX_LINE: usize = 75;
/// How often programs should ask for changes.
const REFRESH_INTERVAL: &str = "PT6H";
const LICENSE: &str = "Data: TVmaze (https://www.tvmaze.com), licensed CC BY-SA 4.0";

/// Writes a calendar of the episodes, as known since `published_at`.
pub(crate) fn calendar(schedule: &Schedule, name: &str, published_at: Timestamp) -> String {
    let mut lines = ContentLines::default();
    lines.add("BEGIN", "VCALENDAR");
    lines.add("VERSION", "2.0");
    lines.add("PRODID", concat!("-//tvshows-pipeline//", env!("CARGO_PKG_VERSION"), "//EN"));
    lines.add("CALSCALE", "GREGORIAN");
    for property in ["NAME", "X-WR-CALNAME"] {
        lines.add_text(property, name);
    }
    for property in ["DESCRIPTION", "X-WR-CALDESC"] {
        lines.add_text(property, LICENSE);
    }
    lines.add("REFRESH-INTERVAL;VALUE=DURATION", REFRESH_INTERVAL);
    lines.add("X-PUBLISHED-TTL", REFRESH_INTERVAL);
    let stamp = utc(published_at).to_string();
    let mut seen = HashSet::new();
    for episode in &schedule.episodes {
        if let (Some(show), Some(start)) =
            (schedule.shows.get(&episode.show_id), Start::of_episode(episode))
            // TVmaze may list an episode under two shows for a moment.
            && seen.insert(episode.id)
        {
            add_event(&mut lines, episode, show, start, &stamp);
        }
    }
    lines.add("END", "VCALENDAR");
    lines.0
}

/// When an episode starts.
#[derive(Clone, Copy)]
enum Start {
    At(Timestamp),
    /// Some time on this day.
    On(Date),
}

impl Start {
    fn of_episode(episode: &Episode) -> Option<Start> {
        let has_time = episode.airtime.as_deref().is_some_and(|time| !time.is_empty());
        let moment = episode.airstamp.as_deref().filter(|_| has_time);
        let day = || episode.airdate.as_deref()?.parse().ok();
        match moment.and_then(|moment| moment.parse().ok()) {
            Some(moment) => Some(Start::At(moment)),
            None => day().map(Start::On),
        }
    }
}

fn add_event(lines: &mut ContentLines, episode: &Episode, show: &Show, start: Start, stamp: &str) {
    lines.add("BEGIN", "VEVENT");
    lines.add("UID", format_args!("episode-{}@tvshows-pipeline", episode.id));
    lines.add("DTSTAMP", stamp);
    match start {
        Start::At(moment) => {
            lines.add("DTSTART", utc(moment));
            let runtimes = [episode.runtime, show.average_runtime, show.runtime];
            let minutes =
                runtimes.into_iter().flatten().find(|minutes| (1..=1440).contains(minutes));
            if let Some(end) = minutes
                .and_then(|minutes| moment.checked_add(SignedDuration::from_mins(minutes)).ok())
            {
                lines.add("DTEND", utc(end));
            }
        }
        Start::On(day) => lines.add("DTSTART;VALUE=DATE", day.strftime("%Y%m%d")),
    }
    lines.add_text("SUMMARY", &summary(episode, show));
    let url = episode.url.as_deref().filter(|url| is_link(url));
    let text = episode.summary.as_deref().map(plain_text).filter(|text| !text.is_empty());
    let description = text.as_deref().into_iter().chain(url).collect::<Vec<_>>().join("\n\n");
    if !description.is_empty() {
        lines.add_text("DESCRIPTION", &description);
    }
    if let Some(url) = url {
        lines.add("URL", url);
    }
    if !show.genres.is_empty() {
        let genres = show.genres.iter().map(|genre| escaped(genre));
        lines.add("CATEGORIES", genres.collect::<Vec<_>>().join(","));
    }
    lines.add("TRANSP", "TRANSPARENT");
    lines.add("END", "VEVENT");
}

/// Such as `Show 1x02: Title`.
fn summary(episode: &Episode, show: &Show) -> String {
    let mut summary = show.name.clone();
    if let (Some(season), Some(number)) = (episode.season, episode.number) {
        let _ = write!(summary, " {season}x{number:02}");
    }
    if let Some(name) = episode.name.as_deref().filter(|name| !name.is_empty()) {
        summary.extend([": ", name]);
    }
    summary
}

/// Whether a text of TVmaze is safe as the value of a property that cannot be escaped.
fn is_link(url: &str) -> bool {
    let is_web = url.starts_with("https://") || url.starts_with("http://");
    is_web && url.bytes().all(|byte| byte.is_ascii_graphic())
}

fn utc(moment: Timestamp) -> impl Display {
    moment.strftime("%Y%m%dT%H%M%SZ")
}

/// Escapes a text. Of the control characters, only line breaks remain.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => escaped.push_str("\\n"),
            '\\' | ';' | ',' => escaped.extend(['\\', c]),
            c if c.is_control() => {}
            c => escaped.push(c),
        }
    }
    escaped
}

#[derive(Default)]
struct ContentLines(String);

impl ContentLines {
    fn add_text(&mut self, property: &str, text: &str) {
        self.add(property, escaped(text));
    }

    /// Adds a property, in lines of at most [`MAX_LINE`] octets that do not split characters.
    fn add(&mut self, property: &str, value: impl Display) {
        let line = format!("{property}:{value}");
        let (mut rest, mut limit) = (line.as_str(), MAX_LINE);
        while rest.len() > limit {
            let (part, next) = rest.split_at(rest.floor_char_boundary(limit));
            self.0.push_str(part);
            self.0.push_str("\r\n ");
            // The space counts.
            (rest, limit) = (next, MAX_LINE - 1);
        }
        self.0.push_str(rest);
        self.0.push_str("\r\n");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tvshows_core::ShowId;
    use tvshows_core::conformance::fixtures::show;

    use super::*;

    fn episode(id: u32) -> Episode {
        Episode {
            id,
            show_id: ShowId(1),
            season: Some(1),
            number: Some(2),
            name: Some("One, two; \\ three".into()),
            airdate: Some("2026-11-27".into()),
            airtime: Some("20:30".into()),
            airstamp: Some("2026-11-27T20:30:00-05:00".into()),
            runtime: Some(45),
            summary: Some("<p>He &amp; she.</p><p>They <script>x</script>meet.</p>".into()),
            url: Some("https://www.tvmaze.com/episodes/7".into()),
            ..Episode::default()
        }
    }

    fn schedule(episodes: Vec<Episode>) -> Schedule {
        let show =
            Show { name: "Show".into(), genres: vec!["Drama".into(), "A,b".into()], ..show(1) };
        Schedule { episodes, shows: [(ShowId(1), show)].into() }
    }

    fn written(episodes: Vec<Episode>) -> String {
        let at = "2026-11-20T00:00:00Z".parse().unwrap();
        calendar(&schedule(episodes), "TV schedule", at).replace("\r\n ", "")
    }

    /// The lines of the events.
    fn events(episodes: Vec<Episode>) -> Vec<String> {
        let calendar = written(episodes);
        let (_, events) = calendar.split_once("BEGIN:VEVENT\r\n").unwrap_or_default();
        events.lines().map(str::to_owned).collect()
    }

    #[test]
    fn an_episode_is_an_event_in_utc() {
        let expected = "\
            UID:episode-7@tvshows-pipeline
            DTSTAMP:20261120T000000Z
            DTSTART:20261128T013000Z
            DTEND:20261128T021500Z
            SUMMARY:Show 1x02: One\\, two\\; \\\\ three
            DESCRIPTION:He & she.\\nThey meet.\\n\\nhttps://www.tvmaze.com/episodes/7
            URL:https://www.tvmaze.com/episodes/7
            CATEGORIES:Drama,A\\,b
            TRANSP:TRANSPARENT
            END:VEVENT
            END:VCALENDAR";
        let expected: Vec<_> = expected.lines().map(str::trim).collect();
        assert_eq!(events(vec![episode(7)]), expected);
    }

    #[test]
    fn an_episode_without_a_time_takes_its_day() {
        let noon = Some("2026-11-27T12:00:00+00:00".into());
        let unknown = Episode { airtime: Some(String::new()), airstamp: noon, ..episode(7) };
        let lines = events(vec![unknown.clone()]);
        assert!(lines.contains(&"DTSTART;VALUE=DATE:20261127".to_owned()), "{lines:?}");
        assert!(!lines.iter().any(|line| line.starts_with("DTEND")), "{lines:?}");
        let malformed = Episode { airdate: Some("2026-11-3".into()), ..unknown };
        assert_eq!(events(vec![malformed]), [""; 0], "it has no day");
    }

    #[test]
    fn an_episode_under_two_shows_is_one_event() {
        let other = Episode { name: Some("Later".into()), ..episode(7) };
        let lines = events(vec![episode(7), other, episode(8)]);
        let uids: Vec<_> = lines.iter().filter(|line| line.starts_with("UID")).collect();
        assert_eq!(uids, ["UID:episode-7@tvshows-pipeline", "UID:episode-8@tvshows-pipeline"]);
    }

    #[test]
    fn what_an_episode_lacks_is_left_out() {
        let bare = Episode {
            number: None,
            name: None,
            summary: None,
            url: Some("https://x/\r\nATTACH:file".into()),
            ..episode(7)
        };
        let lines = events(vec![bare]);
        assert!(lines.contains(&"SUMMARY:Show".to_owned()), "{lines:?}");
        let has = |name: &str| lines.iter().any(|line| line.starts_with(name));
        assert!(!has("URL") && !has("DESCRIPTION") && !has("ATTACH"), "{lines:?}");
    }

    proptest! {
        #[test]
        fn lines_are_short_and_unfold_to_the_text(text in "[a-z é老😀,;\\\\\n\r\t\u{7f}]{0,300}") {
            let mut lines = ContentLines::default();
            lines.add_text("SUMMARY", &text);
            let ContentLines(written) = lines;
            for line in written.strip_suffix("\r\n").unwrap().split("\r\n") {
                prop_assert!(line.len() <= MAX_LINE && !line.contains(['\r', '\n']), "{line:?}");
            }
            let unfolded = written.replace("\r\n ", "");
            let value = unfolded.strip_prefix("SUMMARY:").unwrap().strip_suffix("\r\n").unwrap();
            let mut unescaped = String::new();
            let mut chars = value.chars();
            while let Some(c) = chars.next() {
                match (c, c == '\\') {
                    (_, true) => match chars.next().unwrap() {
                        'n' => unescaped.push('\n'),
                        c => unescaped.push(c),
                    },
                    (c, _) => unescaped.push(c),
                }
            }
            let is_text = |c: &char| *c == '\n' || !c.is_control();
            prop_assert_eq!(unescaped, text.chars().filter(is_text).collect::<String>());
        }
    }
}
