//! Lists of published shows.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use tvshows_core::{
    Facet, KeysetCursor, SearchText, Show, ShowFilter, ShowId, ShowPage, ShowQuery, Sort, SortBy,
    SortValue,
};

use crate::error::SqlResult;
use crate::facet_index::{FacetIndex, FacetIndexCache, column_name};
use crate::search::FtsQuery;
use crate::show_row;

/// Finds the ids in the table `_Show_Facets` first, and reads whole rows for those only.
pub(crate) fn shows(
    connection: &Connection,
    indexes: &FacetIndexCache,
    query: &ShowQuery,
) -> SqlResult<ShowPage> {
    let snapshot = connection.unchecked_transaction()?;
    let index = indexes.get(&snapshot)?;
    let candidates = candidates(&snapshot, &query.filter)?;
    let (total, facets) = index.count(&query.filter.facets, candidates.as_deref(), &query.facets);
    let unmatched = index.unmatched(&query.filter.facets);
    let mut page = ShowPage { total, facets, unmatched, ..ShowPage::default() };
    if total > 0 {
        (page.shows, page.next) = list(&snapshot, &index, query)?;
    }
    Ok(page)
}

/// The shows that match everything but the facets; `None` for all shows.
fn candidates(connection: &Connection, filter: &ShowFilter) -> SqlResult<Option<Vec<i64>>> {
    let mut conditions = Conditions::default();
    if conditions.add_other(filter).is_none() {
        return Ok(Some(Vec::new()));
    }
    if conditions.sql.is_empty() {
        return Ok(None);
    }
    let sql = format!("SELECT id FROM _Show_Facets {}", conditions.where_clause());
    let mut select = connection.prepare_cached(&sql)?;
    let ids = select.query_map(params_from_iter(&conditions.values), |row| row.get(0))?;
    ids.collect::<SqlResult<_>>().map(Some)
}

fn list(
    connection: &Connection,
    index: &FacetIndex,
    query: &ShowQuery,
) -> SqlResult<(Vec<Show>, Option<KeysetCursor>)> {
    let Some(select) = SelectBuilder::new(query, index) else { return Ok((Vec::new(), None)) };
    let mut hits = connection
        .prepare_cached(&select.sql())?
        .query_map(params_from_iter(&select.conditions.values), cursor)?
        .collect::<SqlResult<Vec<KeysetCursor>>>()?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = hits.len() > limit;
    hits.truncate(limit);
    let mut select = connection.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
    // Rows can be missing if another program deleted them without running the triggers.
    let shows = hits
        .iter()
        .filter_map(|hit| select.query_row([hit.id.0], show_row::read).optional().transpose());
    let shows = shows.collect::<SqlResult<Vec<Show>>>()?;
    Ok((shows, hits.pop().filter(|_| has_more)))
}

fn cursor(row: &Row<'_>) -> SqlResult<KeysetCursor> {
    let value = match row.get_ref(1)? {
        ValueRef::Null | ValueRef::Blob(_) => SortValue::None,
        ValueRef::Integer(number) => SortValue::Integer(number),
        ValueRef::Real(number) => SortValue::Real(number),
        ValueRef::Text(text) => SortValue::Text(String::from_utf8_lossy(text).into_owned()),
    };
    Ok(KeysetCursor { value, id: ShowId(row.get(0)?) })
}

/// Conditions on rows of `_Show_Facets`, in constant text. Values from clients are always bound.
#[derive(Default)]
pub(crate) struct Conditions {
    sql: Vec<String>,
    pub(crate) values: Vec<Value>,
}

impl Conditions {
    /// Returns `None` if no show can match the filter.
    pub(crate) fn new(filter: &ShowFilter, index: &FacetIndex) -> Option<Conditions> {
        let mut conditions = Conditions::default();
        conditions.add_other(filter)?;
        for (facet, condition) in &filter.facets {
            conditions.add_facet(*facet, index.matching_texts(*facet, condition));
        }
        Some(conditions)
    }

    pub(crate) fn where_clause(&self) -> String {
        let conditions = self.sql.join(" AND ");
        if conditions.is_empty() { conditions } else { format!("WHERE {conditions}") }
    }

    /// Binds a value and returns its parameter.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    fn add_facet<'a>(&mut self, facet: Facet, texts: impl Iterator<Item = Option<&'a str>>) {
        let (texts, nulls): (Vec<_>, Vec<_>) = texts.partition(Option::is_some);
        let texts = self.bind(serde_json::json!(texts).to_string());
        let column = column_name(facet);
        let is_null =
            if nulls.is_empty() { String::new() } else { format!(" OR {column} IS NULL") };
        self.sql.push(format!("({column} IN (SELECT value FROM json_each({texts})){is_null})"));
    }

    /// Adds all conditions except those on facets. Returns `None` if no show can match them.
    fn add_other(&mut self, filter: &ShowFilter) -> Option<()> {
        if let Some(text) = &filter.text {
            let query = FtsQuery::parse(text.as_str())?;
            let any_column = self.bind(query.any_column);
            self.sql.push(format!("id IN (SELECT rowid FROM _Show_Search({any_column}))"));
        }
        let first = filter.premiered_from.map(|bound| Value::from(bound.first().to_string()));
        let last = filter.premiered_to.map(|bound| Value::from(bound.last().to_string()));
        let bounds = [
            ("premiered >=", first),
            ("premiered <=", last),
            ("rating_average >=", filter.min_rating.map(|bound| bound.get().into())),
            ("rating_average <=", filter.max_rating.map(|bound| bound.get().into())),
        ];
        for (comparison, bound) in bounds {
            if let Some(bound) = bound {
                let bound = self.bind(bound);
                self.sql.push(format!("{comparison} {bound}"));
            }
        }
        Some(())
    }
}

/// Builds a `SELECT` of ids and their sort values.
struct SelectBuilder {
    sort_expression: String,
    conditions: Conditions,
    descending: bool,
    limit: u32,
}

impl SelectBuilder {
    /// Returns `None` if no show can match the query.
    fn new(query: &ShowQuery, index: &FacetIndex) -> Option<SelectBuilder> {
        let mut builder = SelectBuilder {
            sort_expression: String::new(),
            conditions: Conditions::new(&query.filter, index)?,
            descending: query.sort.descending,
            limit: query.limit,
        };
        builder.sort_expression = builder.sort_expression(query.sort, &query.filter)?;
        if let Some(cursor) = &query.after {
            builder.seek_after(cursor);
        }
        Some(builder)
    }

    fn sql(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        format!(
            "SELECT id, {} AS value FROM _Show_Facets {} \
             ORDER BY value IS NULL, value {direction}, id LIMIT {}",
            self.sort_expression,
            self.conditions.where_clause(),
            u64::from(self.limit) + 1
        )
    }

    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.conditions.bind(value)
    }

    fn sort_expression(&mut self, sort: Sort, filter: &ShowFilter) -> Option<String> {
        let column = match sort.by {
            SortBy::Id => "id",
            SortBy::Name => "name COLLATE NOCASE",
            SortBy::Rating => "rating_average",
            SortBy::Premiered => "premiered",
            SortBy::Updated => "updated",
            SortBy::Weight => "weight",
            SortBy::Relevance => {
                let text = filter.text.as_ref().map_or("", SearchText::as_str);
                let name_only = FtsQuery::parse(text)?.name_only;
                let (text, name_only) = (self.bind(text.trim().to_owned()), self.bind(name_only));
                return Some(format!(
                    "CASE WHEN name = {text} COLLATE NOCASE THEN 0 \
                     WHEN id IN (SELECT rowid FROM _Show_Search({name_only})) THEN 1000 ELSE 2000 END \
                     - min(max(ifnull(weight, 0), 0), 999)"
                ));
            }
        };
        Some(column.to_owned())
    }

    /// Skips the hit at the cursor and those before it.
    fn seek_after(&mut self, cursor: &KeysetCursor) {
        let value = match &cursor.value {
            SortValue::None => Value::Null,
            SortValue::Integer(number) => Value::Integer(*number),
            SortValue::Real(number) => Value::Real(*number),
            SortValue::Text(text) => Value::Text(text.clone()),
        };
        let sort = self.sort_expression.clone();
        let is_none = value == Value::Null;
        let id = self.bind(i64::from(cursor.id.0));
        let condition = if is_none {
            format!("{sort} IS NULL AND id > {id}")
        } else {
            let value = self.bind(value);
            let beyond = if self.descending { "<" } else { ">" };
            format!(
                "({sort} {beyond} {value} OR ({sort} = {value} AND id > {id}) OR {sort} IS NULL)"
            )
        };
        self.conditions.sql.push(condition);
    }
}
