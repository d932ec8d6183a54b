//! Which shows match a filter, without an index in memory.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use tvshows_core::{
    Facet, FacetFilter, RatingBound, SearchText, Show, ShowFilter, ShowId, fold_case,
};

use crate::error::SqlResult;
use crate::facets::{self, FacetReader, ShowFacets, split};

/// The shows of the next snapshot.
const NEXT_SHOWS: &str = "SELECT * FROM _Staged_Shows UNION ALL SELECT * FROM _Retained_Shows";

/// The published shows with episodes.
const SHOWS_WITH_EPISODES: &str =
    "SELECT * FROM All_Shows WHERE id IN (SELECT show_id FROM _Details WHERE has_episodes)";

/// Returns the shows of the next snapshot that match a filter, each with its `updated`.
pub(crate) fn next_shows(
    connection: &Connection,
    filter: &ShowFilter,
) -> SqlResult<BTreeMap<ShowId, Option<i64>>> {
    let snapshot = connection.unchecked_transaction()?;
    let mut matching = without_text(&snapshot, NEXT_SHOWS, filter)?;
    if let Some(text) = &filter.text {
        retain_text_matches(&snapshot, text, &mut matching)?;
    }
    Ok(matching)
}

/// Returns the published shows with episodes that match everything but the text of a filter.
pub(crate) fn shows_with_episodes(
    connection: &Connection,
    filter: &ShowFilter,
) -> SqlResult<BTreeMap<ShowId, Option<i64>>> {
    without_text(connection, SHOWS_WITH_EPISODES, filter)
}

/// The shows of a query that match everything but the text of a filter, each with its `updated`.
fn without_text(
    connection: &Connection,
    shows: &str,
    filter: &ShowFilter,
) -> SqlResult<BTreeMap<ShowId, Option<i64>>> {
    let conditions: Vec<_> = filter.facets.iter().map(Condition::new).collect();
    let columns = facets::columns(|facet| filter.facets.contains_key(&facet));
    let sql = format!(
        "SELECT id, updated, {columns} FROM ({shows}) \
         WHERE (?1 IS NULL OR id IN (SELECT value FROM json_each(?1))) \
             AND (?2 IS NULL OR premiered >= ?2) AND (?3 IS NULL OR premiered <= ?3) \
             AND (?4 IS NULL OR rating_average >= ?4) AND (?5 IS NULL OR rating_average <= ?5)",
    );
    let mut select = connection.prepare_cached(&sql)?;
    let mut rows = select.query(params![
        filter.ids.as_ref().map(|ids| format!("[{ids}]")),
        filter.premiered_from.map(|bound| bound.first().to_string()),
        filter.premiered_to.map(|bound| bound.last().to_string()),
        filter.min_rating.map(RatingBound::get),
        filter.max_rating.map(RatingBound::get),
    ])?;
    let (mut matching, mut reader) = (BTreeMap::new(), FacetReader::default());
    while let Some(row) = rows.next()? {
        let show = reader.read(row, 2)?;
        if conditions.iter().all(|condition| condition.holds(&show)) {
            matching.insert(ShowId(row.get(0)?), row.get(1)?);
        }
    }
    Ok(matching)
}

/// A condition on a facet.
struct Condition {
    facet: Facet,
    /// Without case; `None` for shows without a value.
    value: Option<String>,
}

impl Condition {
    fn new((facet, filter): (&Facet, &FacetFilter)) -> Condition {
        let value = match filter {
            FacetFilter::Is(value) => Some(fold_case(value)),
            FacetFilter::Missing => None,
        };
        Condition { facet: *facet, value }
    }

    fn holds(&self, show: &ShowFacets<'_>) -> bool {
        let text = show.texts[self.facet as usize];
        let values = text.map(|text| split(self.facet, text)).unwrap_or_default();
        let Some(wanted) = &self.value else { return values.is_empty() };
        let is_country = self.facet == Facet::Country && !values.is_empty();
        let code = show.country_code.filter(|_| is_country);
        values.iter().map(String::as_str).chain(code).any(|value| fold_case(value) == *wanted)
    }
}

/// Keeps the shows whose name or summary has a text.
fn retain_text_matches(
    connection: &Connection,
    text: &SearchText,
    matching: &mut BTreeMap<ShowId, Option<i64>>,
) -> SqlResult<()> {
    let filter = ShowFilter { text: Some(text.clone()), ..ShowFilter::default() };
    let ids: Vec<u32> = matching.keys().map(|id| id.0).collect();
    let mut select = connection.prepare_cached(
        "SELECT id, name, summary FROM _Staged_Shows WHERE id IN (SELECT value FROM json_each(?1)) UNION ALL \
         SELECT id, name, summary FROM All_Shows WHERE id IN (SELECT value FROM json_each(?1)) \
             AND id NOT IN (SELECT id FROM _Staged_Shows)",
    )?;
    let mut rows = select.query([serde_json::json!(ids).to_string()])?;
    while let Some(row) = rows.next()? {
        let id = ShowId(row.get(0)?);
        let show = Show { id, name: row.get(1)?, summary: row.get(2)?, ..Show::default() };
        if !filter.matches(&show) {
            matching.remove(&id);
        }
    }
    Ok(())
}
