//! The query of `GET /shows`. Empty parameters count as missing, because forms send empty fields.

use std::collections::BTreeSet;

use serde::Deserialize;
use tvshows_core::{Facet, KeysetCursor, Show, ShowQuery, Sort, SortBy};

use super::cursor;
use super::filter_query::{self, FilterQuery};
use super::query::{self, parse};
use crate::excerpt::excerpt;
use crate::problem::Problem;

const DEFAULT_LIMIT: u32 = 50;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct ShowsQuery {
    sort: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
    fields: Option<String>,
    facets: Option<String>,
    #[serde(flatten)]
    filters: FilterQuery,
}

/// A page of a list, parsed.
#[derive(Debug)]
pub(crate) struct ListRequest {
    pub(crate) query: ShowQuery,
    /// The fields of each show to send, in the order in which they are sent; `None` for all.
    pub(crate) fields: Option<Vec<String>>,
    /// Identifies the list that a cursor belongs to. `limit`, `fields` and `facets` may change from page to page.
    scope: String,
}

impl ListRequest {
    /// The cursor of the page after `position`.
    pub(crate) fn cursor(&self, position: &KeysetCursor) -> String {
        cursor::encode(&self.scope, position)
    }

    /// The same text for each way to request this page, and no other page.
    pub(crate) fn cache_key(&self) -> String {
        let ListRequest { query: ShowQuery { after, limit, facets, .. }, fields, scope } = self;
        let after = after.as_ref().map(|position| self.cursor(position));
        format!("{scope} {after:?} {limit} {fields:?} {facets:?}")
    }
}

impl ShowsQuery {
    pub(crate) fn parse(&self) -> Result<ListRequest, Problem> {
        let filter = self.filters.filter(&["sort", "limit", "cursor", "fields", "facets"])?;
        let default = if filter.text.is_some() { SortBy::Relevance } else { SortBy::Id };
        let sort = parse("sort", non_empty(self.sort.as_deref()))?;
        let sort = sort.unwrap_or(Sort { by: default, descending: false });
        if sort.by == SortBy::Relevance && filter.text.is_none() {
            let reason = "can be `relevance` only if `q` is given";
            return Err(Problem::Parameter { name: "sort", reason: reason.into() });
        }
        let scope = format!("{sort} {}", filter_query::scope(&filter));
        let limit = query::limit(non_empty(self.limit.as_deref()), DEFAULT_LIMIT)?;
        let (after, facets) = (self.position(&scope)?, self.facets()?);
        let fields = self.fields()?;
        Ok(ListRequest { query: ShowQuery { filter, sort, after, limit, facets }, fields, scope })
    }

    fn position(&self, scope: &str) -> Result<Option<KeysetCursor>, Problem> {
        let Some(text) = non_empty(self.cursor.as_deref()) else { return Ok(None) };
        let reason = "must be the `next_cursor` of a response to the same query; omit it to start from the beginning";
        let invalid = || Problem::Parameter { name: "cursor", reason: reason.into() };
        cursor::decode(scope, text).map(Some).ok_or_else(invalid)
    }

    fn facets(&self) -> Result<BTreeSet<Facet>, Problem> {
        let Some(facets) = non_empty(self.facets.as_deref()) else { return Ok(BTreeSet::new()) };
        let facet = |name: &str| {
            // Only the spaces that the OpenAPI document allows.
            name.trim_matches(' ').parse().map_err(|_| Problem::Parameter {
                name: "facets",
                reason: format!(
                    "has unknown facet {name:?}; the facets are {}",
                    Facet::ALL.map(|facet| facet.to_string()).join(", ")
                ),
            })
        };
        facets.split(',').map(facet).collect()
    }

    fn fields(&self) -> Result<Option<Vec<String>>, Problem> {
        let Some(fields) = non_empty(self.fields.as_deref()) else { return Ok(None) };
        let requested: Vec<&str> = fields.split(',').map(str::trim).collect();
        let names: Vec<_> = Show::field_names().collect();
        if let Some(unknown) = requested.iter().find(|field| !names.contains(*field)) {
            return Err(Problem::Parameter {
                name: "fields",
                reason: format!(
                    "has unknown field {:?}; the fields are {}",
                    excerpt(unknown),
                    names.join(", ")
                ),
            });
        }
        let fields = names.into_iter().filter(|name| requested.contains(name));
        Ok(Some(fields.map(str::to_owned).collect()))
    }
}

fn non_empty(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use actix_web::web::Query;
    use tvshows_core::{ShowFilter, ShowId, SortValue};

    use super::*;

    fn read(text: &str) -> ShowsQuery {
        Query::<ShowsQuery>::from_query(text).unwrap().into_inner()
    }

    fn query(text: &str) -> Result<ShowQuery, String> {
        read(text).parse().map(|list| list.query).map_err(|problem| problem.to_string())
    }

    #[test]
    fn an_empty_query_is_all_shows_by_id() {
        let all = query("").unwrap();
        assert_eq!((all.filter, all.sort, all.limit), (ShowFilter::default(), Sort::default(), 50));
        assert_eq!(query("q=+&language=&sort=&limit=&cursor=").unwrap(), query("").unwrap());
    }

    #[test]
    fn a_searched_text_sorts_by_relevance_unless_something_else_is_asked_for() {
        assert_eq!(query("q=x").unwrap().sort.by, SortBy::Relevance);
        assert_eq!(query("q=x&sort=-rating").unwrap().sort.by, SortBy::Rating);
        assert!(query("sort=relevance").unwrap_err().contains("`q`"));
    }

    #[test]
    fn a_cursor_goes_with_its_list_whatever_the_limit() {
        let list = read("language=English&sort=name").parse().unwrap();
        let position = KeysetCursor { value: SortValue::Text("B".into()), id: ShowId(3) };
        let cursor = list.cursor(&position);
        let after = |text: &str| query(&format!("{text}&cursor={cursor}")).map(|query| query.after);
        assert_eq!(
            after("sort=name&language=English&limit=7&fields=id&facets=day"),
            Ok(Some(position))
        );
        for other in
            ["language=English", "language=English&sort=-name", "language=French&sort=name"]
        {
            assert!(after(other).unwrap_err().contains("the same query"), "{other}");
        }
    }

    #[test]
    fn unknown_keys_are_named() {
        let fields = |text: &str| ShowsQuery { fields: Some(text.into()), ..ShowsQuery::default() };
        let both = Some(vec!["id".into(), "name".into()]);
        for same in ["id,name", "name, id", "name,id,name"] {
            assert_eq!(fields(same).fields().unwrap(), both, "{same}");
        }
        assert!(fields("id,nme").fields().unwrap_err().to_string().contains("\"nme\""));
        assert!(query("facets=day,gnere").unwrap_err().contains("\"gnere\""));
        assert_eq!(query("facets=day, type,day").unwrap().facets, [Facet::Type, Facet::Day].into());
        assert!(query("facets=day%0A").unwrap_err().contains("day"));
        let unknown = query("genres=Drama").unwrap_err();
        assert!(unknown.contains("`genres`") && unknown.contains("`genre`"), "{unknown}");
        assert!(Query::<ShowsQuery>::from_query("day=-&day=-").is_err(), "repeated");
    }
}
