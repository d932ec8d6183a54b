use std::collections::BTreeMap;

use anyhow::Context;
use clap::Args;
use tvshows_core::{DateBound, Facet, FacetFilter, RatingBound, ShowFilter, ShowIds};

/// The filters of `search`, `schedule` and `export`, as in `GET /shows`.
#[derive(Args)]
#[command(next_help_heading = "Filters")]
pub(crate) struct Filters {
    /// Only the shows with these TVmaze ids, separated by commas
    #[arg(long, value_name = "IDS")]
    id: Option<ShowIds>,

    /// Only shows with this genre. Like all texts, it matches in any case; - for shows without one
    #[arg(long)]
    genre: Option<FacetFilter>,

    /// Only shows in this language
    #[arg(long)]
    language: Option<FacetFilter>,

    /// Only shows with this status, such as Running or Ended
    #[arg(long)]
    status: Option<FacetFilter>,

    /// Only shows of this type, such as Scripted or Documentary
    #[arg(long = "type", value_name = "TYPE")]
    kind: Option<FacetFilter>,

    /// Only shows of this network or web channel
    #[arg(long)]
    network: Option<FacetFilter>,

    /// Only shows of networks and web channels in this country: its name or code
    #[arg(long)]
    country: Option<FacetFilter>,

    /// Only shows that air on this day of the week
    #[arg(long)]
    day: Option<FacetFilter>,

    /// Only shows that premiered in or after this year, or on or after this date
    #[arg(long, value_name = "YEAR|DATE")]
    premiered_from: Option<DateBound>,

    /// Only shows that premiered in or before this year, or on or before this date
    #[arg(long, value_name = "YEAR|DATE")]
    premiered_to: Option<DateBound>,

    /// Only shows with at least this rating
    #[arg(long, value_name = "RATING")]
    min_rating: Option<RatingBound>,

    /// Only shows with at most this rating
    #[arg(long, value_name = "RATING")]
    max_rating: Option<RatingBound>,
}

impl Filters {
    /// The filter that also requires the words of `text`, if it has any.
    pub(crate) fn with_text(&self, text: &str) -> anyhow::Result<ShowFilter> {
        let text = (!text.trim().is_empty()).then(|| text.parse());
        let facets = [
            (Facet::Genre, &self.genre),
            (Facet::Language, &self.language),
            (Facet::Status, &self.status),
            (Facet::Type, &self.kind),
            (Facet::Network, &self.network),
            (Facet::Country, &self.country),
            (Facet::Day, &self.day),
        ];
        let facets =
            facets.into_iter().filter_map(|(facet, filter)| Some((facet, filter.clone()?)));
        Ok(ShowFilter {
            ids: self.id.clone(),
            text: text.transpose().context("invalid search text")?,
            facets: facets.collect::<BTreeMap<_, _>>(),
            premiered_from: self.premiered_from,
            premiered_to: self.premiered_to,
            min_rating: self.min_rating,
            max_rating: self.max_rating,
        })
    }
}
