use std::borrow::Cow;

use hyper::StatusCode;
use jiff::civil::Date;
use url::form_urlencoded;

use crate::schedule::Schedule;

/// The endpoints that the simulator serves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Page(u32),
    Show(u32, Vec<Embed>),
    Episodes { show: u32, specials: bool },
    EpisodeByNumber { show: u32, season: u32, number: u32 },
    EpisodesByDate(u32, Date),
    Episode { id: u64, embeds_show: bool },
    Seasons(u32),
    Cast(u32),
    Schedule(Schedule),
    Updates(Since),
    Search(String),
    SingleSearch(String, Vec<Embed>),
    Lookup(ExternalId),
}

/// The `since` parameter, relative to the newest update so that responses do not depend on the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    All,
    Day,
    Week,
    Month,
}

/// What can be embedded in a show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Embed {
    Cast,
    Episodes,
    NextEpisode,
    PreviousEpisode,
    Seasons,
}

/// A show's id in another database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExternalId {
    Imdb(String),
    TheTvdb(u32),
    TvRage(u32),
}

impl Route {
    /// Parses a path and query. Unknown query parameters are ignored.
    ///
    /// # Errors
    ///
    /// The status of the response: 404, 400 for a missing parameter or an unknown embed, or 422 for an
    /// invalid date or country of a schedule.
    pub(crate) fn parse(path: &str, query: &str) -> Result<Self, StatusCode> {
        let not_found = StatusCode::NOT_FOUND;
        let id = |text: &str| text.parse::<u32>().map_err(|_| not_found);
        let name = || parameter(query, "q").map(Cow::into_owned).ok_or(StatusCode::BAD_REQUEST);
        let segments: Vec<&str> = path.strip_prefix('/').ok_or(not_found)?.split('/').collect();
        match segments[..] {
            ["shows"] => {
                Ok(Self::Page(id(&parameter(query, "page").unwrap_or(Cow::Borrowed("0")))?))
            }
            ["shows", show] => Ok(Self::Show(id(show)?, Embed::parse(query)?)),
            ["shows", show, "cast"] => Ok(Self::Cast(id(show)?)),
            ["shows", show, "episodes"] => {
                let specials = parameter(query, "specials").is_some_and(|value| value == "1");
                Ok(Self::Episodes { show: id(show)?, specials })
            }
            ["shows", show, "episodebynumber"] => {
                let number = |name| match parameter(query, name) {
                    Some(number) => id(&number),
                    None => Err(StatusCode::BAD_REQUEST),
                };
                let (season, number) = (number("season")?, number("number")?);
                Ok(Self::EpisodeByNumber { show: id(show)?, season, number })
            }
            ["shows", show, "episodesbydate"] => {
                let date = parameter(query, "date").and_then(|date| date.parse().ok());
                Ok(Self::EpisodesByDate(id(show)?, date.ok_or(StatusCode::BAD_REQUEST)?))
            }
            ["shows", show, "seasons"] => Ok(Self::Seasons(id(show)?)),
            ["episodes", episode] => {
                let id = episode.parse().map_err(|_| not_found)?;
                let mut embeds = embeds(query).peekable();
                let embeds_show = embeds.peek().is_some();
                let is_known = embeds.all(|name| name == "show");
                is_known.then_some(Self::Episode { id, embeds_show }).ok_or(StatusCode::BAD_REQUEST)
            }
            ["schedule"] => Schedule::parse(None, query).map(Self::Schedule),
            ["schedule", kind] => Schedule::parse(Some(kind), query).map(Self::Schedule),
            ["updates", "shows"] => {
                Ok(Self::Updates(Since::parse(parameter(query, "since").as_deref())))
            }
            ["search", "shows"] => Ok(Self::Search(name()?)),
            ["singlesearch", "shows"] => Ok(Self::SingleSearch(name()?, Embed::parse(query)?)),
            ["lookup", "shows"] => ExternalId::parse(query).map(Self::Lookup),
            _ => Err(not_found),
        }
    }
}

impl Since {
    fn parse(text: Option<&str>) -> Self {
        match text {
            Some("day") => Self::Day,
            Some("week") => Self::Week,
            Some("month") => Self::Month,
            _ => Self::All,
        }
    }

    /// The Unix time of the oldest update to include, given that of the newest.
    pub(crate) fn cutoff(self, newest: u64) -> u64 {
        const DAY: u64 = 24 * 60 * 60;
        match self {
            Self::All => 0,
            Self::Day => newest.saturating_sub(DAY),
            Self::Week => newest.saturating_sub(7 * DAY),
            Self::Month => newest.saturating_sub(30 * DAY),
        }
    }
}

impl Embed {
    fn parse(query: &str) -> Result<Vec<Self>, StatusCode> {
        embeds(query)
            .map(|name| match &*name {
                "cast" => Ok(Self::Cast),
                "episodes" => Ok(Self::Episodes),
                "nextepisode" => Ok(Self::NextEpisode),
                "previousepisode" => Ok(Self::PreviousEpisode),
                "seasons" => Ok(Self::Seasons),
                _ => Err(StatusCode::BAD_REQUEST),
            })
            .collect()
    }
}

impl ExternalId {
    fn parse(query: &str) -> Result<Self, StatusCode> {
        let number = |text: &str| text.parse::<u32>().map_err(|_| StatusCode::NOT_FOUND);
        let mut parameters = form_urlencoded::parse(query.as_bytes());
        let external = parameters.find_map(|(key, id)| match &*key {
            "imdb" => Some(Ok(Self::Imdb(id.into_owned()))),
            "thetvdb" => Some(number(&id).map(Self::TheTvdb)),
            "tvrage" => Some(number(&id).map(Self::TvRage)),
            _ => None,
        });
        external.unwrap_or(Err(StatusCode::BAD_REQUEST))
    }
}

/// All `embed` and `embed[]` parameters.
fn embeds(query: &str) -> impl Iterator<Item = Cow<'_, str>> {
    let parameters = form_urlencoded::parse(query.as_bytes());
    parameters.filter(|(key, _)| matches!(&**key, "embed" | "embed[]")).map(|(_, name)| name)
}

pub(crate) fn parameter<'query>(query: &'query str, name: &str) -> Option<Cow<'query, str>> {
    let mut parameters = form_urlencoded::parse(query.as_bytes());
    parameters.find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn knows_its_endpoints_and_ignores_other_parameters() {
        let (not_found, bad) = (Err(StatusCode::NOT_FOUND), Err(StatusCode::BAD_REQUEST));
        let unprocessable = Err(StatusCode::UNPROCESSABLE_ENTITY);
        let next = vec![Embed::NextEpisode];
        let day = date(2026, 7, 1);
        let network = |country: &str, date| {
            Ok(Route::Schedule(Schedule::Network { country: country.to_owned(), date }))
        };
        let web = |country| Ok(Route::Schedule(Schedule::Web { country, date: None }));
        let cases = [
            ("/shows", "", Ok(Route::Page(0))),
            ("/shows", "page=7", Ok(Route::Page(7))),
            ("/shows", "embed=crew&page=7&q", Ok(Route::Page(7))),
            ("/shows", "page=seven", not_found.clone()),
            ("/shows", "page=-1", not_found.clone()),
            ("/shows/1", "", Ok(Route::Show(1, vec![]))),
            (
                "/shows/1",
                "embed[]=cast&embed%5B%5D=episodes",
                Ok(Route::Show(1, vec![Embed::Cast, Embed::Episodes])),
            ),
            ("/shows/1", "embed=weather", bad.clone()),
            ("/shows/1/cast", "", Ok(Route::Cast(1))),
            ("/shows/1/episodes", "", Ok(Route::Episodes { show: 1, specials: false })),
            ("/shows/1/episodes", "specials=1", Ok(Route::Episodes { show: 1, specials: true })),
            ("/shows/1/episodes", "specials=0", Ok(Route::Episodes { show: 1, specials: false })),
            (
                "/shows/1/episodebynumber",
                "season=2&number=3",
                Ok(Route::EpisodeByNumber { show: 1, season: 2, number: 3 }),
            ),
            ("/shows/1/episodebynumber", "season=2", bad.clone()),
            ("/shows/1/episodebynumber", "season=two&number=3", not_found.clone()),
            ("/shows/1/episodesbydate", "date=2026-07-01", Ok(Route::EpisodesByDate(1, day))),
            ("/shows/1/episodesbydate", "date=2026-13-01", bad.clone()),
            ("/shows/1/seasons", "", Ok(Route::Seasons(1))),
            ("/shows/1", "embed=seasons", Ok(Route::Show(1, vec![Embed::Seasons]))),
            ("/episodes/7", "", Ok(Route::Episode { id: 7, embeds_show: false })),
            ("/episodes/7", "embed=show", Ok(Route::Episode { id: 7, embeds_show: true })),
            ("/episodes/7", "embed[]=show&embed[]=cast", bad.clone()),
            ("/schedule", "", network("US", None)),
            ("/schedule", "country=gb&date=2026-07-01", network("GB", Some(day))),
            ("/schedule", "country=", unprocessable.clone()),
            ("/schedule", "country=USA", unprocessable.clone()),
            ("/schedule", "country=%C3%A9", unprocessable.clone()),
            ("/schedule", "date=today", unprocessable.clone()),
            ("/schedule/web", "", web(None)),
            ("/schedule/web", "country=", web(Some(String::new()))),
            ("/schedule/web", "date=2026-02-30", unprocessable),
            ("/schedule/full", "", Ok(Route::Schedule(Schedule::Full))),
            ("/schedule/radio", "", not_found.clone()),
            ("/shows/1/crew", "", not_found.clone()),
            ("/shows/one", "", not_found.clone()),
            ("/shows/", "", not_found.clone()),
            ("/updates/shows", "", Ok(Route::Updates(Since::All))),
            ("/updates/shows", "since=week", Ok(Route::Updates(Since::Week))),
            ("/updates/shows", "since=year", Ok(Route::Updates(Since::All))),
            ("/search/shows", "q=a+%26%C3%A9", Ok(Route::Search("a &é".into()))),
            ("/search/shows", "", bad.clone()),
            (
                "/singlesearch/shows",
                "q=a&embed=nextepisode",
                Ok(Route::SingleSearch("a".into(), next)),
            ),
            ("/lookup/shows", "imdb=tt1", Ok(Route::Lookup(ExternalId::Imdb("tt1".into())))),
            ("/lookup/shows", "thetvdb=7", Ok(Route::Lookup(ExternalId::TheTvdb(7)))),
            ("/lookup/shows", "tvrage=8", Ok(Route::Lookup(ExternalId::TvRage(8)))),
            ("/lookup/shows", "tvrage=x", not_found.clone()),
            ("/lookup/shows", "tmdb=8", bad),
            ("/", "", not_found),
        ];
        for (path, query, route) in cases {
            assert_eq!(Route::parse(path, query), route, "{path}?{query}");
        }
    }
}
