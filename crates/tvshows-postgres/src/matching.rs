//! Which shows of the next snapshot match a filter.

use std::collections::BTreeMap;
use std::pin::pin;

use futures::TryStreamExt;
use tokio_postgres::Client;
use tokio_postgres::types::{ToSql, Type};
use tvshows_core::{Facet, FacetFilter, ShowFilter, ShowId, fold_case};

use crate::error::Error;
use crate::show_row;
use crate::staging::{self, Base};

/// Finds the shows with their `updated`. The query only preselects rows; the filter decides.
pub(crate) async fn matching_shows(
    client: &Client,
    base: Base,
    filter: &ShowFilter,
) -> Result<BTreeMap<ShowId, Option<i64>>, Error> {
    let Preselection { mut conditions, parameters } = Preselection::new(filter, base.published);
    conditions.push(staging::in_next_snapshot(base));
    let sql = format!(
        "SELECT {} FROM _show_versions v WHERE {}",
        show_row::columns(|column| is_read(filter, column)),
        conditions.join(" AND ")
    );
    let rows = client.query_typed_raw(&sql, parameters).await?;
    let mut rows = pin!(rows);
    let mut matching = BTreeMap::new();
    while let Some(row) = rows.try_next().await? {
        let show = show_row::read(&row)?.show;
        if filter.matches(&show) {
            matching.insert(show.id, show.updated);
        }
    }
    Ok(matching)
}

/// Whether a filter needs a column. Those that it does not need are most of the data.
fn is_read(filter: &ShowFilter, column: &str) -> bool {
    let has = |facet: Facet| filter.facets.contains_key(&facet);
    match column {
        "name" | "summary" => filter.text.is_some(),
        "schedule" => has(Facet::Day),
        "network" | "web_channel" => has(Facet::Network) || has(Facet::Country),
        "genres" | "language" | "status" | "type" | "premiered" | "updated" => true,
        _ => false,
    }
}

/// Conditions that all matching rows meet.
struct Preselection {
    conditions: Vec<String>,
    parameters: Vec<(Box<dyn ToSql + Sync + Send>, Type)>,
}

impl Preselection {
    fn new(filter: &ShowFilter, published: i64) -> Preselection {
        let parameters: Vec<(Box<dyn ToSql + Sync + Send>, Type)> =
            vec![(Box::new(published), Type::INT8)];
        let mut selection = Preselection { conditions: Vec::new(), parameters };
        if let Some(ids) = &filter.ids {
            let ids: Vec<i64> = ids.iter().map(|id| id.0.into()).collect();
            selection.add(Box::new(ids), Type::INT8_ARRAY, |id| format!("v.id = ANY({id})"));
        }
        for (bound, operator) in [(filter.min_rating, ">="), (filter.max_rating, "<=")] {
            if let Some(bound) = bound {
                selection.add(Box::new(bound.get()), Type::FLOAT8, |rating| {
                    format!("v.rating_average {operator} {rating}")
                });
            }
        }
        let from = filter.premiered_from.map(|from| (from.first(), ">="));
        let to = filter.premiered_to.map(|to| (to.last(), "<="));
        for (day, operator) in from.into_iter().chain(to) {
            selection.add(Box::new(day.to_string()), Type::TEXT, |day| {
                format!("(v.premiered COLLATE \"C\" {operator} {day} OR v.exact_texts IS NOT NULL)")
            });
        }
        for (facet, condition) in &filter.facets {
            selection.add_facet(*facet, condition);
        }
        selection
    }

    fn add(
        &mut self,
        value: Box<dyn ToSql + Sync + Send>,
        kind: Type,
        condition: impl FnOnce(String) -> String,
    ) {
        self.parameters.push((value, kind));
        self.conditions.push(condition(format!("${}", self.parameters.len())));
    }

    /// Adds a condition on a plain column. A text with other characters than ASCII may equal one without them if case is
    /// ignored, such as `ß` and `SS`.
    fn add_facet(&mut self, facet: Facet, condition: &FacetFilter) {
        let column = match facet {
            Facet::Genre => "v.genres",
            Facet::Language => "v.language",
            Facet::Status => "v.status",
            Facet::Type => "v.type",
            Facet::Network | Facet::Country | Facet::Day => return,
        };
        let FacetFilter::Is(wanted) = condition else {
            let missing = if facet == Facet::Genre { " = ''" } else { " IS NULL" };
            self.conditions.push(format!("{column}{missing}"));
            return;
        };
        let is_not_ascii = format!("octet_length({column}) <> char_length({column})");
        let wanted = fold_case(wanted);
        if !wanted.is_ascii() || wanted.contains('\0') {
            self.conditions.push(is_not_ascii);
            return;
        }
        self.add(Box::new(wanted), Type::TEXT, |wanted| {
            let folded = format!("lower({column} COLLATE \"C\")");
            let equals = match facet {
                Facet::Genre => format!("strpos({folded}, {wanted}) > 0"),
                _ => format!("{folded} = {wanted}"),
            };
            format!("({equals} OR {is_not_ascii})")
        });
    }
}
