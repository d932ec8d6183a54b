//! The list of published shows.

use rusqlite::types::{Value, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, params_from_iter};
use tvshows_core::{
    KeysetCursor, SearchText, Show, ShowFilter, ShowId, ShowPage, ShowQuery, Sort, SortBy,
    SortValue,
};

use crate::error::SqlResult;
use crate::{search, show_row};

/// Finds the places in the table `Show_Facets` first, and reads whole rows for those alone.
pub(crate) fn shows(connection: &Connection, query: &ShowQuery) -> SqlResult<ShowPage> {
    let Some(statement) = Statement::of(query) else {
        return Ok(ShowPage { shows: Vec::new(), next: None });
    };
    let snapshot = connection.unchecked_transaction()?;
    let mut places = snapshot
        .prepare_cached(&statement.sql())?
        .query_map(params_from_iter(&statement.values), position)?
        .collect::<SqlResult<Vec<KeysetCursor>>>()?;
    let limit = usize::try_from(query.limit).unwrap_or(usize::MAX);
    let more_follow = places.len() > limit;
    places.truncate(limit);
    let mut select = snapshot.prepare_cached("SELECT * FROM All_Shows WHERE id = ?1")?;
    // Who deletes rows by hand leaves a place without a show.
    let shows = places
        .iter()
        .filter_map(|place| select.query_row([place.id.0], show_row::read).optional().transpose());
    let shows = shows.collect::<SqlResult<Vec<Show>>>()?;
    Ok(ShowPage { shows, next: places.pop().filter(|_| more_follow) })
}

fn position(row: &Row<'_>) -> SqlResult<KeysetCursor> {
    let value = match row.get_ref(1)? {
        ValueRef::Null | ValueRef::Blob(_) => SortValue::None,
        ValueRef::Integer(number) => SortValue::Integer(number),
        ValueRef::Real(number) => SortValue::Real(number),
        ValueRef::Text(text) => SortValue::Text(String::from_utf8_lossy(text).into_owned()),
    };
    Ok(KeysetCursor { value, id: ShowId(row.get(0)?) })
}

/// A SELECT of ids and the values they are sorted by, put together from fixed texts: what a client sent
/// is only ever bound.
struct Statement {
    value: String,
    conditions: Vec<String>,
    values: Vec<Value>,
    descending: bool,
    limit: u32,
}

impl Statement {
    /// `None` when no show can meet the query.
    fn of(query: &ShowQuery) -> Option<Statement> {
        let mut statement = Statement {
            value: String::new(),
            conditions: Vec::new(),
            values: Vec::new(),
            descending: query.sort.descending,
            limit: query.limit,
        };
        statement.filter(&query.filter)?;
        statement.value = statement.sorted_by(query.sort, &query.filter)?;
        if let Some(position) = &query.after {
            statement.follow(position);
        }
        Some(statement)
    }

    fn sql(&self) -> String {
        let direction = if self.descending { "DESC" } else { "ASC" };
        let conditions = self.conditions.join(" AND ");
        let filter =
            if conditions.is_empty() { String::new() } else { format!("WHERE {conditions}") };
        format!(
            "SELECT id, {} AS value FROM Show_Facets {filter} \
             ORDER BY value IS NULL, value {direction}, id LIMIT {}",
            self.value,
            u64::from(self.limit) + 1
        )
    }

    /// Binds a value and gives the parameter that stands for it.
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("?{}", self.values.len())
    }

    fn filter(&mut self, filter: &ShowFilter) -> Option<()> {
        if let Some(text) = &filter.text {
            let (all, _) = search::queries(text.as_str())?;
            let all = self.bind(all);
            self.conditions.push(format!("id IN (SELECT rowid FROM Show_Search({all}))"));
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
            // A text with a comma would find two genres that follow each other.
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
            let least = self.bind(bound.number());
            self.conditions.push(format!("rating_average >= {least}"));
        }
        Some(())
    }

    fn sorted_by(&mut self, sort: Sort, filter: &ShowFilter) -> Option<String> {
        let column = match sort.by {
            SortBy::Id => "id",
            SortBy::Name => "name COLLATE NOCASE",
            SortBy::Rating => "rating_average",
            SortBy::Premiered => "premiered",
            SortBy::Updated => "updated",
            SortBy::Weight => "weight",
            SortBy::Relevance => {
                let text = filter.text.as_ref().map_or("", SearchText::as_str);
                let (_, named) = search::queries(text)?;
                let (text, named) = (self.bind(text.trim().to_owned()), self.bind(named));
                return Some(format!(
                    "CASE WHEN name = {text} COLLATE NOCASE THEN 0 \
                     WHEN id IN (SELECT rowid FROM Show_Search({named})) THEN 1000 ELSE 2000 END \
                     - min(max(ifnull(weight, 0), 0), 999)"
                ));
            }
        };
        Some(column.to_owned())
    }

    /// Leaves out the place and what comes before it.
    fn follow(&mut self, position: &KeysetCursor) {
        let value = match &position.value {
            SortValue::None => Value::Null,
            SortValue::Integer(number) => Value::Integer(*number),
            SortValue::Real(number) => Value::Real(*number),
            SortValue::Text(text) => Value::Text(text.clone()),
        };
        let column = self.value.clone();
        let is_none = value == Value::Null;
        let id = self.bind(i64::from(position.id.0));
        let condition = if is_none {
            format!("{column} IS NULL AND id > {id}")
        } else {
            let value = self.bind(value);
            let beyond = if self.descending { "<" } else { ">" };
            format!(
                "({column} {beyond} {value} OR ({column} = {value} AND id > {id}) OR {column} IS NULL)"
            )
        };
        self.conditions.push(condition);
    }
}
