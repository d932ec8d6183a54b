/// The endpoints that the simulator serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    Page(u32),
    Show(u32),
    Cast(u32),
    Updates(Since),
}

/// The `since` parameter, relative to the newest update so that responses do not depend on the clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Since {
    All,
    Day,
    Week,
    Month,
}

impl Route {
    /// Parses a path and query; `None` is a 404. Unknown query parameters are ignored.
    pub(crate) fn parse(path: &str, query: &str) -> Option<Self> {
        let segments: Vec<&str> = path.strip_prefix('/')?.split('/').collect();
        match segments[..] {
            ["shows"] => Some(Self::Page(parameter(query, "page").unwrap_or("0").parse().ok()?)),
            ["shows", id] => Some(Self::Show(id.parse().ok()?)),
            ["shows", id, "cast"] => Some(Self::Cast(id.parse().ok()?)),
            ["updates", "shows"] => Some(Self::Updates(Since::parse(parameter(query, "since")))),
            _ => None,
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

fn parameter<'query>(query: &'query str, name: &str) -> Option<&'query str> {
    query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .find_map(|(key, value)| (key == name).then_some(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn knows_the_four_endpoints_and_ignores_other_parameters() {
        let cases = [
            ("/shows", "", Some(Route::Page(0))),
            ("/shows", "page=7", Some(Route::Page(7))),
            ("/shows", "embed=cast&page=7&q", Some(Route::Page(7))),
            ("/shows", "page=seven", None),
            ("/shows", "page=-1", None),
            ("/shows/1", "embed=cast", Some(Route::Show(1))),
            ("/shows/1/cast", "", Some(Route::Cast(1))),
            ("/shows/1/crew", "", None),
            ("/shows/one", "", None),
            ("/shows/", "", None),
            ("/updates/shows", "", Some(Route::Updates(Since::All))),
            ("/updates/shows", "since=week", Some(Route::Updates(Since::Week))),
            ("/updates/shows", "since=year", Some(Route::Updates(Since::All))),
            ("/", "", None),
        ];
        for (path, query, route) in cases {
            assert_eq!(Route::parse(path, query), route, "{path}?{query}");
        }
    }
}
