use std::collections::{BTreeMap, btree_map};
use std::fmt;
use std::ops::Deref;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer};

use crate::{Client, PersonId, Request, ShowId};

/// How far back a map of updates reaches.
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

/// What changed.
///
/// A change of a show covers its episodes and its cast, but neither its rating nor its weight, which
/// drift without one (seen in recorded answers).
impl Client {
    /// When each show was last changed: every show that exists, or those changed within `since`.
    pub fn show_updates(&self, since: Option<Since>) -> Request<Updates<ShowId>> {
        updates(self, "/updates/shows", since)
    }

    /// When each person was last changed: every person that exists, or those changed within `since`.
    pub fn people_updates(&self, since: Option<Since>) -> Request<Updates<PersonId>> {
        updates(self, "/updates/people", since)
    }
}

fn updates<I>(client: &Client, path: &str, since: Option<Since>) -> Request<Updates<I>> {
    let request = Request::new(client, path);
    match since {
        Some(since) => request.query("since", since),
        None => request,
    }
}

/// The moments of the last changes, by id.
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
        let moments = BTreeMap::<I, i64>::deserialize(deserializer)?;
        Ok(Updates(moments.into_iter().map(|(id, seconds)| (id, moment(seconds))).collect()))
    }
}

/// The moment of a Unix time; the nearest one that there is where that is out of all range, so that
/// one absurd entry does not lose the map.
fn moment(seconds: i64) -> Timestamp {
    let range = Timestamp::MIN.as_second()..=Timestamp::MAX.as_second();
    let nearest = seconds.clamp(*range.start(), *range.end());
    Timestamp::from_second(nearest).unwrap_or(Timestamp::MAX)
}
