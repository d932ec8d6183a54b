//! Query parameters. Serde rejects unknown and repeated ones; the types here reject invalid values.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use serde::Deserialize;
use tvshows_core::{ExternalDatabase, ExternalId, RunParameters, ShowFilter, Table, TopLimit};
use tvshows_export::{Dialect, Format};

use super::filter_query::FilterQuery;
use crate::problem::Problem;

/// The query of routes without parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct UpdateQuery {
    years: Option<String>,
    top: Option<String>,
    mode: Option<String>,
}

impl UpdateQuery {
    pub(crate) fn parameters(&self) -> Result<RunParameters, Problem> {
        Ok(RunParameters {
            years: parse("years", self.years.as_deref())?.unwrap_or_default(),
            top: parse("top", self.top.as_deref())?.unwrap_or_default(),
            mode: parse("mode", self.mode.as_deref())?.unwrap_or_default(),
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StatusQuery {
    wait: Option<String>,
    pub(crate) previous_signature: Option<String>,
}

impl StatusQuery {
    /// How long to wait for a change; `None` to respond immediately.
    pub(crate) fn wait(&self) -> Result<Option<Duration>, Problem> {
        let wait: Option<WaitSeconds> = parse("wait", self.wait.as_deref())?;
        Ok(wait.map(|WaitSeconds(seconds)| Duration::from_secs(seconds)))
    }
}

/// At most a minute, after which proxies commonly close idle connections.
struct WaitSeconds(u64);

impl FromStr for WaitSeconds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<WaitSeconds, &'static str> {
        let seconds = text.parse().ok().filter(|seconds| *seconds <= 60);
        seconds.map(WaitSeconds).ok_or("must be a whole number from 0 to 60")
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LimitQuery {
    limit: Option<String>,
}

impl LimitQuery {
    pub(crate) fn limit(&self, default: u32) -> Result<u32, Problem> {
        limit(self.limit.as_deref(), default)
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct LookupQuery {
    imdb: Option<String>,
    thetvdb: Option<String>,
    tvrage: Option<String>,
}

impl LookupQuery {
    /// The only id.
    pub(crate) fn external_id(&self) -> Result<ExternalId, Problem> {
        let ids = ExternalDatabase::ALL.into_iter().filter_map(|database| {
            let id = match database {
                ExternalDatabase::Imdb => &self.imdb,
                ExternalDatabase::Thetvdb => &self.thetvdb,
                ExternalDatabase::Tvrage => &self.tvrage,
            };
            Some((database, id.as_ref()?))
        });
        let [(database, id)] = ids.collect::<Vec<_>>()[..] else {
            let reason = "give exactly one of `imdb`, `thetvdb`, and `tvrage`";
            return Err(Problem::InvalidQuery(reason.into()));
        };
        let invalid = |error| Problem::InvalidQuery(format!("`{}` {error}", database.name()));
        ExternalId::parse(database, id).map_err(invalid)
    }
}

#[derive(Deserialize)]
pub(crate) struct ExportQuery {
    dialect: Option<String>,
    #[serde(flatten)]
    filters: FilterQuery,
}

impl ExportQuery {
    /// The filter of the rows, which only `all_shows` can have.
    pub(crate) fn filter(&self, table: Table) -> Result<ShowFilter, Problem> {
        match self.filters.first() {
            Some(name) if table != Table::AllShows => {
                let reason = format!(
                    "is a filter of `all_shows`; `{table}` is exported as a whole, so omit it"
                );
                Err(Problem::Parameter { name, reason })
            }
            _ => self.filters.filter(&["dialect"]),
        }
    }

    pub(crate) fn dialect(&self, format: Format) -> Result<Dialect, Problem> {
        let dialect = parse("dialect", self.dialect.as_deref())?;
        if dialect.is_some() && format != Format::Csv {
            let reason = format!("applies to CSV only, not to {format}");
            return Err(Problem::Parameter { name: "dialect", reason });
        }
        Ok(dialect.unwrap_or_default())
    }
}

/// A limit from 1 to 1000, like that of the top shows.
pub(crate) fn limit(text: Option<&str>, default: u32) -> Result<u32, Problem> {
    let limit: Option<TopLimit> = parse("limit", text)?;
    Ok(limit.map_or(default, |limit| limit.get().into()))
}

/// Parses a parameter's value; the problem has the error message of its type.
pub(crate) fn parse<T: FromStr<Err: Display>>(
    name: &'static str,
    text: Option<&str>,
) -> Result<Option<T>, Problem> {
    let invalid = |error: T::Err| Problem::Parameter { name, reason: error.to_string() };
    text.map(|text| text.parse().map_err(invalid)).transpose()
}
