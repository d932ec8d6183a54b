//! The orders of lists, in memory: 52 bytes per show for all of them.

use std::cmp::Ordering;

use rusqlite::types::ValueRef;
use rusqlite::{Connection, OptionalExtension};
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

impl Orders {
    /// Sorts the shows with these ids, which are in ascending order.
    pub(crate) fn read(connection: &Connection, ids: &[i64]) -> SqlResult<Orders> {
        let read = |by| {
            if by == SortBy::Id {
                let ascending: Vec<_> = (0..).take(ids.len()).collect();
                let descending = ascending.iter().rev().copied().collect();
                return Ok([ascending, descending]);
            }
            let column = sort_column(by);
            let sql = format!("SELECT id, {column} FROM _Show_Facets ORDER BY id");
            let mut select = connection.prepare(&sql)?;
            let mut rows = select.query([])?;
            let mut keys = Vec::with_capacity(ids.len());
            while let Some(row) = rows.next()? {
                if let Ok(position) = ids.binary_search(&row.get(0)?) {
                    keys.push((sort_value(by, row.get_ref(1)?), position));
                }
            }
            let sorted = |keys: &mut Vec<(SortValue, usize)>, descending| {
                // Stable, so that ties remain in the order of their ids.
                keys.sort_by(|(a, _), (b, _)| compare(Sort { by, descending }, a, b));
                keys.iter().filter_map(|(_, position)| u32::try_from(*position).ok()).collect()
            };
            let ascending = sorted(&mut keys, false);
            if by == SortBy::Relevance {
                // The best match comes first, always.
                return Ok([ascending, Vec::new()]);
            }
            keys.sort_unstable_by_key(|(_, position)| *position);
            Ok([ascending, sorted(&mut keys, true)])
        };
        let orders = SORTED_BY.into_iter().map(read).collect::<SqlResult<_>>()?;
        Ok(Orders { orders })
    }

    /// Returns the shows in an order. The order of relevance is that of shows that match a text equally well.
    pub(crate) fn get(&self, sort: Sort) -> &[u32] {
        let by = SORTED_BY.iter().position(|by| *by == sort.by).unwrap_or_default();
        &self.orders[by][usize::from(sort.descending)]
    }
}

/// The column of `_Show_Facets` that lists are sorted by.
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
    let sql = format!("SELECT {} FROM _Show_Facets WHERE id = ?1", sort_column(by));
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
            let folded = |text: &str| -> Vec<u8> { text.to_ascii_lowercase().into_bytes() };
            folded(a).cmp(&folded(b))
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
