//! Lists of published shows.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use tvshows_core::{
    KeysetCursor, SearchText, Show, ShowFilter, ShowId, ShowPage, ShowQuery, Sort, SortBy,
    SortValue,
};

use crate::error::SqlResult;
use crate::search::FtsQuery;
use crate::show_row;

/// Finds the ids in the table `_Show_Facets` first, and reads whole rows for those only.
pub(crate) fn shows(connection: &Connection, query: &ShowQuery) -> SqlResult<ShowPage> {
    let Some(select) = SelectBuilder::new(query) else {
        return Ok(ShowPage { shows: Vec::new(), next: None });
    };
    let snapshot = connection.unchecked_transaction()?;
    let mut hits = snapshot
        .prepare_cached(&select.sql())?
        .query_map(params_from_iter(&select.values), cursor)?
        .collect::<SqlResult<Vec<KeysetCursor>>>()?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let has_more = hits.len() > limit;
    hits.truncate(limit);
    let mut select = snapshot.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
    // Rows can be missing if another program deleted them without running the triggers.
    let shows = hits
        .iter()
        .filter_map(|hit| select.query_row([hit.id.0], show_row::read).optional().transpose());
    let shows = shows.collect::<SqlResult<Vec<Show>>>()?;
    Ok(ShowPage { shows, next: hits.pop().filter(|_| has_more) })
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

/// Builds a `SELECT` of ids and their sort values from constant text. Values from clients are always bound.
struct SelectBuilder {
    sort_expression: String,
    conditions: Vec<String>,
    values: Vec<Value>,
    descending: bool,
    limit: u32,
}

impl SelectBuilder {
    /// Returns `None` if no show can match the query.
    fn new(query: &ShowQuery) -> Option<SelectBuilder> {
        let mut builder = SelectBuilder {
            sort_expression: String::new(),
            conditions: Vec::new(),
            values: Vec::new(),
            descending: query.sort.descending,
            limit: query.limit,
        };
        builder.filter(&query.filter)?;
        builder.sort_expression = builder.sort_expression(query.sort, &query.filter)?;
        if let Some(cursor) = &query.after {
            builder.seek_after(cursor);
        }
        Some(builder)
    }

    fn sql(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let conditions = self.conditions.join(" AND ");
        let filter =
            if conditions.is_empty() { String::new() } else { format!("WHERE {conditions}") };
        format!(
            "SELECT id, {} AS value FROM _Show_Facets {filter} \
             ORDER BY value IS NULL, value {direction}, id LIMIT {}",
            self.sort_expression,
            u64::from(self.limit) + 1
        )
    }

    /// Binds a value and returns its parameter.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    fn filter(&mut self, filter: &ShowFilter) -> Option<()> {
        if let Some(text) = &filter.text {
            let query = FtsQuery::parse(text.as_str())?;
            let any_column = self.bind(query.any_column);
            self.conditions.push(format!("id IN (SELECT rowid FROM _Show_Search({any_column}))"));
        }
        let exact = [
            ("language", &filter.language),
            ("status", &filter.status),
            ("type", &filter.kind),
            ("network", &filter.network),
        ];
        for (column, text) in exact {
            if let Some(text) = text {
                let text = self.bind(text.clone());
                self.conditions.push(format!("{column} = {text}"));
            }
        }
        if let Some(genre) = &filter.genre {
            // A text with a comma would match two adjacent genres.
            if genre.contains(',') {
                return None;
            }
            let genre = self.bind(format!(",{genre},"));
            self.conditions.push(format!("instr(',' || genres || ',', {genre}) > 0"));
        }
        if let Some(bound) = filter.premiered_from {
            let first = self.bind(bound.first().to_string());
            self.conditions.push(format!("premiered >= {first}"));
        }
        if let Some(bound) = filter.premiered_to {
            let last = self.bind(bound.last().to_string());
            self.conditions.push(format!("premiered <= {last}"));
        }
        if let Some(bound) = filter.min_rating {
            let minimum = self.bind(bound.get());
            self.conditions.push(format!("rating_average >= {minimum}"));
        }
        Some(())
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
        self.conditions.push(condition);
    }
}
