//! The filters of lists and exports. Empty parameters count as missing, because forms send empty fields.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::marker::PhantomData;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, Visitor};
use tvshows_core::{Facet, ParseFilterError, ShowFilter, Sort};
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::excerpt::excerpt;
use crate::problem::Problem;
use crate::schemas::JsonOf;

/// Flattened into the query of a route, for the parameters that no field takes.
#[derive(Debug, Default)]
pub(crate) struct FilterQuery(BTreeMap<String, String>);

impl FilterQuery {
    /// The filter. Refuses unknown parameters, in the words of serde; `names` are those of the route itself.
    pub(crate) fn filter(&self, names: &[&str]) -> Result<ShowFilter, Problem> {
        let mut filter = ShowFilter::default();
        for (parameter, value) in &self.0 {
            filter.set(parameter, value).map_err(|error| match error {
                ParseFilterError::Unknown(unknown) => unknown_parameter(&unknown, names),
                ParseFilterError::Invalid { parameter, reason } => {
                    Problem::Parameter { name: parameter, reason }
                }
            })?;
        }
        Ok(filter)
    }

    /// The name of the first filter with a value.
    pub(crate) fn first(&self) -> Option<&'static str> {
        let has_value = |name: &&str| self.0.get(*name).is_some_and(|text| !text.trim().is_empty());
        ShowFilter::PARAMETERS.into_iter().find(has_value)
    }
}

/// The parameters of a filter, for the OpenAPI document.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "the parameters are read as a map")]
pub(crate) struct FilterParameters {
    /// The ids of shows, separated by commas
    #[param(inline, style = Form, explode = false, example = json!([82, 169]))]
    id: Option<Ids>,
    /// Words to find in the name and summary. All must match; the last one may be a prefix. Case and accents are ignored, and there are no operators. In names, punctuation inside a word may be omitted: `swat` finds S.W.A.T.
    #[param(max_length = 256, example = "game of thr")]
    q: Option<String>,
    /// One of the genres
    #[param(example = "Drama")]
    genre: Option<String>,
    /// The language
    #[param(example = "English")]
    language: Option<String>,
    /// The status
    #[param(example = "Running")]
    status: Option<String>,
    /// The type
    #[param(example = "Scripted")]
    r#type: Option<String>,
    /// The name of the network, or of the web channel if there is no network
    #[param(example = "HBO")]
    network: Option<String>,
    /// The name or the ISO 3166-1 code of the network's country, or of the web channel's
    #[param(example = "US")]
    country: Option<String>,
    /// One of the days of the week on which the show airs
    #[param(example = "Monday")]
    day: Option<String>,
    /// The earliest premiere date: a year or a day
    #[param(
        pattern = r"^([0-9]{4}(-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|-(0[13-9]|1[0-2])-(29|30)|-(0[13578]|1[02])-31|-02-29)?)?$",
        example = "2010"
    )]
    premiered_from: Option<String>,
    /// The latest premiere date: a day, or a year, including all of it
    #[param(
        pattern = r"^([0-9]{4}(-(0[1-9]|1[0-2])-(0[1-9]|1[0-9]|2[0-8])|-(0[13-9]|1[0-2])-(29|30)|-(0[13578]|1[02])-31|-02-29)?)?$",
        example = "2019-06-30"
    )]
    premiered_to: Option<String>,
    /// The minimum average rating
    #[param(value_type = Option<RatingParameter>, inline, example = 7.5)]
    min_rating: Option<String>,
    /// The maximum average rating
    #[param(value_type = Option<RatingParameter>, inline)]
    max_rating: Option<String>,
}

/// The schema of the ids of shows, in the OpenAPI document.
struct Ids;

impl PartialSchema for Ids {
    fn schema() -> RefOr<Schema> {
        let id = ObjectBuilder::new().schema_type(Type::Integer);
        let id = id.minimum(Some(0)).maximum(Some(u32::MAX));
        ArrayBuilder::new().items(id).max_items(Some(10_000)).into()
    }
}

impl ToSchema for Ids {}

// Aliases, because utoipa does not take generic types.
type RatingParameter = EmptyOr<Rating>;
pub(crate) type DaysParameter = EmptyOr<WholeNumber<1, 31>>;
pub(crate) type LimitParameter = EmptyOr<WholeNumber<1, 1000>>;
pub(crate) type PageParameter = EmptyOr<WholeNumber<0, { u32::MAX }>>;
pub(crate) type SortParameter = EmptyOr<JsonOf<Sort>>;

/// The schema of a rating, in the OpenAPI document.
struct Rating;

impl PartialSchema for Rating {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Number);
        number.minimum(Some(0)).maximum(Some(10)).into()
    }
}

impl ToSchema for Rating {}

/// The schema of a whole number, in the OpenAPI document.
pub(crate) struct WholeNumber<const MIN: u32, const MAX: u32>;

impl<const MIN: u32, const MAX: u32> PartialSchema for WholeNumber<MIN, MAX> {
    fn schema() -> RefOr<Schema> {
        let number = ObjectBuilder::new().schema_type(Type::Integer);
        number.minimum(Some(MIN)).maximum(Some(MAX)).into()
    }
}

impl<const MIN: u32, const MAX: u32> ToSchema for WholeNumber<MIN, MAX> {}

/// The schema of a parameter that counts as missing if it is empty, in the OpenAPI document.
pub(crate) struct EmptyOr<T>(PhantomData<T>);

impl<T: PartialSchema> PartialSchema for EmptyOr<T> {
    fn schema() -> RefOr<Schema> {
        let empty = ObjectBuilder::new().schema_type(Type::String).max_length(Some(0));
        AnyOfBuilder::new().item(T::schema()).item(empty).into()
    }
}

impl<T: ToSchema> ToSchema for EmptyOr<T> {}

fn unknown_parameter(unknown: &str, names: &[&str]) -> Problem {
    let names = ShowFilter::PARAMETERS.iter().chain(names).map(|name| format!("`{name}`"));
    let names = names.collect::<Vec<_>>().join(", ");
    let unknown = excerpt(unknown);
    Problem::InvalidQuery(format!(
        "invalid query: unknown field `{unknown}`, expected one of {names}"
    ))
}

/// Refuses repeated parameters, as serde does for the fields of a struct.
impl<'de> Deserialize<'de> for FilterQuery {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<FilterQuery, D::Error> {
        deserializer.deserialize_map(FilterVisitor)
    }
}

struct FilterVisitor;

impl<'de> Visitor<'de> for FilterVisitor {
    type Value = FilterQuery;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("parameters")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<FilterQuery, A::Error> {
        let mut parameters = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            if parameters.insert(name.clone(), value).is_some() {
                return Err(A::Error::custom(format!("duplicate field `{}`", excerpt(&name))));
            }
        }
        Ok(FilterQuery(parameters))
    }
}

/// Identifies the shows that match a filter, whichever way a client has written it.
pub(crate) fn scope(filter: &ShowFilter) -> String {
    let text = filter.text.as_ref().map_or_else(String::new, |text| text.as_str().to_owned());
    let facets = Facet::ALL.map(|facet| written(filter.facets.get(&facet)));
    let dates = [filter.premiered_from, filter.premiered_to].map(|date| written(date.as_ref()));
    let ratings = [filter.min_rating, filter.max_rating].map(|rating| written(rating.as_ref()));
    // Only if there are some, so that the cursors of earlier releases remain valid.
    let ids = filter.ids.as_ref().map(ToString::to_string);
    let texts = [text].into_iter().chain(facets).chain(dates).chain(ratings);
    let values: Vec<String> = texts.chain(ids).collect();
    format!("{values:?}")
}

/// The conditions of a filter, for people.
pub(crate) fn description(filter: &ShowFilter) -> String {
    let condition =
        |name: &dyn Display, value: &dyn Display| format!("{name}={}", excerpt(&value.to_string()));
    let mut conditions = Vec::new();
    conditions.extend(filter.ids.as_ref().map(|ids| condition(&"id", ids)));
    conditions.extend(filter.text.as_ref().map(|text| condition(&"q", &text.as_str().trim())));
    conditions.extend(filter.facets.iter().map(|(facet, value)| condition(facet, value)));
    conditions.extend(filter.premiered_from.map(|day| condition(&"premiered_from", &day)));
    conditions.extend(filter.premiered_to.map(|day| condition(&"premiered_to", &day)));
    conditions.extend(filter.min_rating.map(|rating| condition(&"min_rating", &rating)));
    conditions.extend(filter.max_rating.map(|rating| condition(&"max_rating", &rating)));
    conditions.join(", ")
}

fn written(value: Option<&impl Display>) -> String {
    value.map_or_else(String::new, ToString::to_string)
}

#[cfg(test)]
mod tests {
    use actix_web::web::Query;

    use super::*;

    #[test]
    fn the_documented_ids_are_those_that_are_accepted() {
        let schema = serde_json::to_value(Ids::schema()).unwrap();
        let accepts = |text: &str| ShowFilter::default().set("id", text).is_ok();
        let max = schema["items"]["maximum"].as_u64().unwrap();
        assert!(accepts(&max.to_string()) && !accepts(&(max + 1).to_string()));
        let ids = |number| (0..number).map(|id| id.to_string()).collect::<Vec<_>>().join(",");
        let max = schema["maxItems"].as_u64().unwrap();
        assert!(accepts(&ids(max)) && !accepts(&ids(max + 1)));
    }

    fn read(text: &str) -> FilterQuery {
        Query::<FilterQuery>::from_query(text).unwrap().into_inner()
    }

    #[test]
    fn every_filter_has_its_name() {
        for name in ShowFilter::PARAMETERS {
            let query = read(&format!("{name}=7"));
            assert_eq!(query.first(), Some(name));
            let is_date = name.starts_with("premiered");
            let filter = query.filter(&[]);
            assert_eq!(filter.is_err(), is_date, "{name}");
            assert!(is_date || filter.unwrap() != ShowFilter::default(), "{name}");
        }
        assert_eq!(read("q=&genre=+").first(), None);
        assert_eq!(read("q=&genre=+").filter(&[]).unwrap(), ShowFilter::default());
        for facet in Facet::ALL {
            let filter = read(&format!("{facet}=-")).filter(&[]).unwrap();
            assert_eq!(filter.facets.into_keys().collect::<Vec<_>>(), [facet]);
        }
    }

    #[test]
    fn unknown_and_repeated_parameters_are_named() {
        let unknown = read("genres=Drama").filter(&["sort"]).unwrap_err().to_string();
        assert!(unknown.contains("`genres`") && unknown.contains("`id`, `q`"), "{unknown}");
        assert!(unknown.ends_with("`sort`"), "{unknown}");
        let repeated = Query::<FilterQuery>::from_query("day=-&day=-").unwrap_err();
        assert!(repeated.to_string().contains("`day`"), "{repeated}");
        let invalid = read("id=82,x").filter(&[]).unwrap_err();
        assert!(matches!(invalid, Problem::Parameter { name: "id", .. }));
    }

    #[test]
    fn ids_belong_to_the_scope() {
        let scope = |text: &str| scope(&read(text).filter(&[]).unwrap());
        assert_eq!(scope("id=169,82"), scope("id=82,169,82"));
        assert_ne!(scope("id=82"), scope(""));
        assert_ne!(scope("id=82"), scope("id=169"));
    }

    #[test]
    fn a_filter_is_described_by_its_conditions() {
        let describe = |text: &str| description(&read(text).filter(&[]).unwrap());
        assert_eq!(describe(""), "");
        let query = "max_rating=9&min_rating=7.0&country=US&genre=Drama&q=+the+&id=169,82";
        let expected = "id=82,169, q=the, genre=Drama, country=US, min_rating=7, max_rating=9";
        assert_eq!(describe(query), expected);
    }
}
