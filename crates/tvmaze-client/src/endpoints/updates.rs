use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::Deref;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::{Client, PersonId, Request, ShowId};

/// The period that an updates map covers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// 24 hours.
    Day,
    /// 7 days.
    Week,
    /// 30 days.
    Month,
}

impl fmt::Display for Since {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Since::Day => "day",
            Since::Week => "week",
            Since::Month => "month",
        })
    }
}

/// Updates.
///
/// The update time of a show covers its episodes and cast, but not its rating and weight, which change
/// without it (observed in recorded responses).
impl Client {
    /// Gets the time of each show's last update: of all shows, or of those updated within `since`.
    pub fn show_updates(&self, since: Option<Since>) -> Request<Updates<ShowId>> {
        updates(self, "/updates/shows", since)
    }

    /// Gets the time of each person's last update: of all people, or of those updated within `since`.
    pub fn people_updates(&self, since: Option<Since>) -> Request<Updates<PersonId>> {
        updates(self, "/updates/people", since)
    }
}

fn updates<I>(client: &Client, path: &str, since: Option<Since>) -> Request<Updates<I>> {
    // All ids are megabytes of text, and a fraction of that decoded.
    let request = Request::new(client, path).streamed();
    match since {
        Some(since) => request.query("since", since),
        None => request,
    }
}

/// The time of the last update by id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Updates<I>(pub BTreeMap<I, Timestamp>);

impl<I> Deref for Updates<I> {
    type Target = BTreeMap<I, Timestamp>;

    fn deref(&self) -> &BTreeMap<I, Timestamp> {
        &self.0
    }
}

impl<I> IntoIterator for Updates<I> {
    type Item = (I, Timestamp);
    type IntoIter = btree_map::IntoIter<I, Timestamp>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'de, I: Deserialize<'de> + Ord> Deserialize<'de> for Updates<I> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Updates<I>, D::Error> {
        let seconds = BTreeMap::<I, i64>::deserialize(deserializer)?;
        Ok(Updates(seconds.into_iter().map(|(id, seconds)| (id, timestamp(seconds))).collect()))
    }
}

/// Converts Unix time. Clamps it to the supported range, so that one absurd entry does not fail the
/// whole map.
fn timestamp(seconds: i64) -> Timestamp {
    let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    let clamped = seconds.clamp(*range.start(), *range.end());
    Timestamp::from_second(clamped).unwrap_or(Timestamp::MAX)
}
