use std::collections::BTreeMap;

use jiff::civil::Date;

use crate::{Episode, Show, ShowFilter, ShowId};

/// Which stored episodes a schedule contains.
#[derive(Debug, Clone, PartialEq)]
pub struct ScheduleQuery {
    /// Only episodes of shows that match.
    pub filter: ShowFilter,
    /// The first and the last day, in the time zone of each network.
    pub first: Date,
    pub last: Date,
}

/// Episodes with their shows.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Schedule {
    /// By `airstamp`, those without one last in their day; then by show and TVmaze's order.
    pub episodes: Vec<Episode>,
    /// The shows of the episodes.
    pub shows: BTreeMap<ShowId, Show>,
}
