//! The filters of lists and exports. Empty parameters count as missing, because forms send empty fields.

use std::collections::BTreeMap;
use std::fmt::Display;

use serde::Deserialize;
use tvshows_core::{Facet, ShowFilter};

use super::query::parse;
use crate::excerpt::excerpt;
use crate::problem::Problem;

/// Flattened into the query of a route, whose `unknown` collects the other parameters.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct FilterQuery {
    q: Option<String>,
    genre: Option<String>,
    language: Option<String>,
    status: Option<String>,
    r#type: Option<String>,
    network: Option<String>,
    country: Option<String>,
    day: Option<String>,
    premiered_from: Option<String>,
    premiered_to: Option<String>,
    min_rating: Option<String>,
    max_rating: Option<String>,
}

/// Parameters that no field of a query takes.
pub(crate) type UnknownParameters = BTreeMap<String, String>;

impl FilterQuery {
    const NAMES: [&str; 12] = [
        "q",
        "genre",
        "language",
        "status",
        "type",
        "network",
        "country",
        "day",
        "premiered_from",
        "premiered_to",
        "min_rating",
        "max_rating",
    ];

    /// In the order of the names.
    fn values(&self) -> [Option<&str>; 12] {
        let values = [
            &self.q,
            &self.genre,
            &self.language,
            &self.status,
            &self.r#type,
            &self.network,
            &self.country,
            &self.day,
            &self.premiered_from,
            &self.premiered_to,
            &self.min_rating,
            &self.max_rating,
        ];
        values.map(|value| value.as_deref().filter(|value| !value.is_empty()))
    }

    pub(crate) fn filter(&self) -> Result<ShowFilter, Problem> {
        let [q, .., premiered_from, premiered_to, min_rating, max_rating] = self.values();
        let mut facets = BTreeMap::new();
        for (name, value) in Self::NAMES.into_iter().zip(self.values()) {
            if let (Ok(facet), Some(filter)) = (name.parse::<Facet>(), parse(name, value)?) {
                facets.insert(facet, filter);
            }
        }
        Ok(ShowFilter {
            text: parse("q", q.filter(|text| !text.trim().is_empty()))?,
            facets,
            premiered_from: parse("premiered_from", premiered_from)?,
            premiered_to: parse("premiered_to", premiered_to)?,
            min_rating: parse("min_rating", min_rating)?,
            max_rating: parse("max_rating", max_rating)?,
        })
    }

    /// The name of the first filter with a value.
    pub(crate) fn first(&self) -> Option<&'static str> {
        let filters = Self::NAMES.into_iter().zip(self.values());
        filters.into_iter().find(|(_, value)| value.is_some()).map(|(name, _)| name)
    }
}

/// Identifies the shows that match a filter, whichever way a client has written it.
pub(crate) fn scope(filter: &ShowFilter) -> String {
    let text = filter.text.as_ref().map_or_else(String::new, |text| text.as_str().to_owned());
    let facets = Facet::ALL.map(|facet| written(filter.facets.get(&facet)));
    let dates = [filter.premiered_from, filter.premiered_to].map(|date| written(date.as_ref()));
    let ratings = [filter.min_rating, filter.max_rating].map(|rating| written(rating.as_ref()));
    let values: Vec<String> =
        [text].into_iter().chain(facets).chain(dates).chain(ratings).collect();
    format!("{values:?}")
}

fn written(value: Option<&impl Display>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

/// Refuses unknown parameters, in the words of serde. `names` are those of the route itself.
pub(crate) fn refuse_unknown(unknown: &UnknownParameters, names: &[&str]) -> Result<(), Problem> {
    let Some(unknown) = unknown.keys().next() else { return Ok(()) };
    let names: Vec<_> =
        FilterQuery::NAMES.iter().chain(names).map(|name| format!("`{name}`")).collect();
    let names = names.join(", ");
    let unknown = excerpt(unknown);
    let reason = format!("invalid query: unknown field `{unknown}`, expected one of {names}");
    Err(Problem::InvalidQuery(reason))
}

#[cfg(test)]
mod tests {
    use actix_web::web::Query;

    use super::*;

    fn read(text: &str) -> FilterQuery {
        Query::<FilterQuery>::from_query(text).unwrap().into_inner()
    }

    #[test]
    fn every_filter_has_its_name() {
        for name in FilterQuery::NAMES {
            let query = read(&format!("{name}=7"));
            assert_eq!(query.first(), Some(name));
            let is_date = name.starts_with("premiered");
            assert_eq!(query.filter().is_err(), is_date, "{name}");
            assert!(is_date || query.filter().unwrap() != ShowFilter::default(), "{name}");
        }
        assert_eq!(read("q=&genre=").first(), None);
        for facet in Facet::ALL {
            let filter = read(&format!("{facet}=-")).filter().unwrap();
            assert_eq!(filter.facets.into_keys().collect::<Vec<_>>(), [facet]);
        }
    }
}
