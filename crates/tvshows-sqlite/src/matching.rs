//! Which shows of the next snapshot match a filter.

use std::collections::BTreeMap;

use rusqlite::{Connection, Row, params};
use tvshows_core::{Facet, FacetFilter, RatingBound, Show, ShowFilter, ShowId, fold_case};

use crate::error::SqlResult;
use crate::facet_index::{column_name, split};

/// The facets of the shows of the next snapshot. SQLite extracts from JSON only what a query selects.
const NEXT_FACETS: &str = "\
    SELECT id, updated, name, type, language, genres, status, premiered, rating_average, \
        ifnull(json_extract(network, '$.name'), json_extract(web_channel, '$.name')) AS network, \
        ifnull(json_extract(network, '$.country.name'), json_extract(web_channel, '$.country.name')) AS country, \
        ifnull(json_extract(network, '$.country.code'), json_extract(web_channel, '$.country.code')) \
            AS country_code, \
        json_extract(schedule, '$.days') AS days \
    FROM _Staged_Shows \
    UNION ALL \
    SELECT id, updated, name, type, language, genres, status, premiered, rating_average, network, country, \
        country_code, days \
    FROM _Retained_Facets";

/// Returns the shows of the next snapshot that match a filter, each with its `updated`.
pub(crate) fn shows(
    connection: &Connection,
    filter: &ShowFilter,
) -> SqlResult<BTreeMap<ShowId, Option<i64>>> {
    let snapshot = connection.unchecked_transaction()?;
    let mut columns = vec!["id", "updated"];
    columns.extend(filter.facets.keys().map(|facet| column_name(*facet)));
    if filter.facets.contains_key(&Facet::Country) {
        columns.push("country_code");
    }
    let sql = format!(
        "SELECT {} FROM ({NEXT_FACETS}) \
         WHERE (?1 IS NULL OR id IN (SELECT value FROM json_each(?1))) \
             AND (?2 IS NULL OR premiered >= ?2) AND (?3 IS NULL OR premiered <= ?3) \
             AND (?4 IS NULL OR rating_average >= ?4) AND (?5 IS NULL OR rating_average <= ?5)",
        columns.join(", "),
    );
    let mut select = snapshot.prepare_cached(&sql)?;
    let mut rows = select.query(params![
        filter.ids.as_ref().map(|ids| format!("[{ids}]")),
        filter.premiered_from.map(|bound| bound.first().to_string()),
        filter.premiered_to.map(|bound| bound.last().to_string()),
        filter.min_rating.map(RatingBound::get),
        filter.max_rating.map(RatingBound::get),
    ])?;
    let mut matching = BTreeMap::new();
    while let Some(row) = rows.next()? {
        if has_facets(row, filter)? {
            matching.insert(ShowId(row.get(0)?), row.get(1)?);
        }
    }
    if filter.text.is_some() {
        retain_text_matches(&snapshot, filter, &mut matching)?;
    }
    Ok(matching)
}

fn has_facets(row: &Row<'_>, filter: &ShowFilter) -> SqlResult<bool> {
    for (facet, condition) in &filter.facets {
        let text = row.get_ref(column_name(*facet))?.as_str_or_null()?;
        let values = text.map(|text| split(*facet, text)).unwrap_or_default();
        let is_match = match condition {
            FacetFilter::Missing => values.is_empty(),
            FacetFilter::Is(wanted) => {
                let wanted = fold_case(wanted);
                let code = match facet {
                    Facet::Country if !values.is_empty() => {
                        row.get_ref("country_code")?.as_str_or_null()?
                    }
                    _ => None,
                };
                values
                    .iter()
                    .map(String::as_str)
                    .chain(code)
                    .any(|value| fold_case(value) == wanted)
            }
        };
        if !is_match {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Keeps the shows whose name or summary has the text of the filter.
fn retain_text_matches(
    connection: &Connection,
    filter: &ShowFilter,
    matching: &mut BTreeMap<ShowId, Option<i64>>,
) -> SqlResult<()> {
    let text = ShowFilter { text: filter.text.clone(), ..ShowFilter::default() };
    let mut select = connection.prepare_cached(
        "SELECT id, name, summary FROM _Staged_Shows UNION ALL \
         SELECT id, name, summary FROM All_Shows WHERE id IN (SELECT id FROM _Retained_Facets)",
    )?;
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        let id = ShowId(row.get(0)?);
        if matching.contains_key(&id) {
            let show = Show { id, name: row.get(1)?, summary: row.get(2)?, ..Show::default() };
            if !text.matches(&show) {
                matching.remove(&id);
            }
        }
    }
    Ok(())
}
