//! The orders of lists, in memory: 52 bytes per show for all of them.

use std::cmp::Ordering;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension, Row};
use tvshows_core::{KeysetCursor, Sort, SortBy, SortValue};

use crate::error::SqlResult;

/// Weights count up to this for relevance.
const MAX_WEIGHT: i64 = 999;

/// The orders with a column of their own, then relevance.
const SORTED_BY: [SortBy; 7] = [
    SortBy::Id,
    SortBy::Name,
    SortBy::Rating,
    SortBy::Premiered,
    SortBy::Updated,
    SortBy::Weight,
    SortBy::Relevance,
];

/// All shows in each order, as positions in the list of ids.
pub(crate) struct Orders {
    /// In the order of [`SORTED_BY`]: ascending, and descending.
    orders: Vec<[Vec<u32>; 2]>,
}

/// Reads what lists are sorted by.
#[derive(Default)]
pub(crate) struct OrdersReader {
    /// For each order but that of ids, the value of each show, in ascending order of ids.
    values: [Vec<SortValue>; SORTED_BY.len()],
}

impl OrdersReader {
    /// Adds the show with the next higher id.
    pub(crate) fn add(&mut self, row: &Row<'_>) -> SqlResult<()> {
        for (by, values) in SORTED_BY.into_iter().zip(&mut self.values).skip(1) {
            values.push(sort_value(by, row.get_ref(sort_column(by))?));
        }
        Ok(())
    }

    pub(crate) fn finish(self) -> Orders {
        let shows = u32::try_from(self.values[1].len()).unwrap_or(u32::MAX);
        let orders = SORTED_BY.into_iter().zip(self.values).map(|(by, values)| match by {
            SortBy::Id => [(0..shows).collect(), (0..shows).rev().collect()],
            by => sorted(by, values),
        });
        Orders { orders: orders.collect() }
    }
}

/// Returns the shows with these values in ascending and in descending order. By relevance, the best match comes first in
/// both.
fn sorted(by: SortBy, values: Vec<SortValue>) -> [Vec<u32>; 2] {
    let order = |a: &SortValue, b: &SortValue| compare(Sort { by, descending: false }, a, b);
    let mut shows: Vec<_> = values.into_iter().zip(0_u32..).collect();
    // Stable, so that ties remain in the order of their ids.
    shows.sort_by(|(a, _), (b, _)| order(a, b));
    let ascending = shows.iter().map(|(_, show)| *show).collect();
    if by == SortBy::Relevance {
        return [ascending, Vec::new()];
    }
    let (some, none) =
        shows.split_at(shows.partition_point(|(value, _)| *value != SortValue::None));
    let ties = some.chunk_by(|(a, _), (b, _)| order(a, b).is_eq());
    let descending = ties.rev().flatten().chain(none).map(|(_, show)| *show).collect();
    [ascending, descending]
}

impl Orders {
    /// Returns the shows in an order. The order of relevance is that of shows that match a text equally well.
    pub(crate) fn get(&self, sort: Sort) -> &[u32] {
        let by = SORTED_BY.iter().position(|by| *by == sort.by).unwrap_or_default();
        &self.orders[by][usize::from(sort.descending)]
    }
}

/// The column of `All_Shows` that lists are sorted by.
fn sort_column(by: SortBy) -> &'static str {
    match by {
        SortBy::Id => "id",
        SortBy::Name => "name",
        SortBy::Rating => "rating_average",
        SortBy::Premiered => "premiered",
        SortBy::Updated => "updated",
        SortBy::Weight | SortBy::Relevance => "weight",
    }
}

/// Converts a value of the column.
fn sort_value(by: SortBy, value: ValueRef<'_>) -> SortValue {
    match value {
        // The heaviest first, and unknown weights like none.
        ValueRef::Integer(weight) if by == SortBy::Relevance => {
            SortValue::Integer(-weight.clamp(0, MAX_WEIGHT))
        }
        _ if by == SortBy::Relevance => SortValue::Integer(0),
        ValueRef::Null | ValueRef::Blob(_) => SortValue::None,
        ValueRef::Integer(number) => SortValue::Integer(number),
        ValueRef::Real(number) => SortValue::Real(number),
        ValueRef::Text(text) => SortValue::Text(String::from_utf8_lossy(text).into_owned()),
    }
}

/// Reads the value that a show is sorted by; `None` if the show no longer exists.
pub(crate) fn read_value(
    connection: &Connection,
    by: SortBy,
    id: i64,
) -> SqlResult<Option<SortValue>> {
    let sql = format!("SELECT {} FROM All_Shows WHERE id = ?1", sort_column(by));
    let mut select = connection.prepare_cached(&sql)?;
    select.query_row([id], |row| Ok(sort_value(by, row.get_ref(0)?))).optional()
}

/// Compares two values. Shows without a value come last in either direction.
pub(crate) fn compare(sort: Sort, a: &SortValue, b: &SortValue) -> Ordering {
    use SortValue::{Integer, None, Text};
    let ordering = match (a, b) {
        (None, None) => return Ordering::Equal,
        (None, _) => return Ordering::Greater,
        (_, None) => return Ordering::Less,
        (Integer(a), Integer(b)) => a.cmp(b),
        (Text(a), Text(b)) if sort.by == SortBy::Name => {
            // The case of A to Z does not count.
            let folded = |byte: u8| byte.to_ascii_lowercase();
            a.bytes().map(folded).cmp(b.bytes().map(folded))
        }
        (Text(a), Text(b)) => a.cmp(b),
        (Text(_), _) => Ordering::Greater,
        (_, Text(_)) => Ordering::Less,
        (a, b) => number(a).total_cmp(&number(b)),
    };
    if sort.descending { ordering.reverse() } else { ordering }
}

#[expect(clippy::cast_precision_loss, reason = "only integers are compared exactly")]
fn number(value: &SortValue) -> f64 {
    match value {
        SortValue::Integer(number) => *number as f64,
        SortValue::Real(number) => *number,
        SortValue::None | SortValue::Text(_) => f64::NAN,
    }
}

/// Whether a show with this value and id comes after the cursor.
pub(crate) fn is_after(sort: Sort, value: &SortValue, id: i64, cursor: &KeysetCursor) -> bool {
    compare(sort, value, &cursor.value).then(id.cmp(&i64::from(cursor.id.0))) == Ordering::Greater
}
