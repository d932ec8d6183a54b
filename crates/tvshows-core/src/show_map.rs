use std::fmt;
use std::marker::PhantomData;
use std::ops::{Index, Range};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::ShowId;

/// A map with an entry for each show, in the order of their ids.
///
/// Two sorted lists, which take half the memory of a `BTreeMap` and are quicker to build. There is no insertion: all
/// entries are collected at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShowMap<V> {
    ids: Vec<ShowId>,
    values: Vec<V>,
}

impl<V> ShowMap<V> {
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    /// Returns the index of a show in the order of the ids.
    #[must_use]
    pub fn index_of(&self, id: &ShowId) -> Option<usize> {
        self.ids.binary_search(id).ok()
    }

    #[must_use]
    pub fn get(&self, id: &ShowId) -> Option<&V> {
        self.index_of(id).map(|index| &self.values[index])
    }

    #[must_use]
    pub fn contains_key(&self, id: &ShowId) -> bool {
        self.index_of(id).is_some()
    }

    #[must_use]
    pub fn last_key_value(&self) -> Option<(&ShowId, &V)> {
        self.ids.last().zip(self.values.last())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&ShowId, &V)> {
        self.ids.iter().zip(&self.values)
    }

    pub fn keys(&self) -> impl Iterator<Item = &ShowId> {
        self.ids.iter()
    }

    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.values.iter()
    }

    pub fn into_keys(self) -> impl Iterator<Item = ShowId> {
        self.ids.into_iter()
    }

    /// Returns the entries whose ids are in `range`, which must not end before it starts.
    pub fn range(&self, range: Range<ShowId>) -> impl Iterator<Item = (&ShowId, &V)> {
        let index = |end| self.ids.partition_point(|id| *id < end);
        let range = index(range.start)..index(range.end);
        self.ids[range.clone()].iter().zip(&self.values[range])
    }

    fn push(&mut self, (id, value): (ShowId, V)) {
        self.ids.push(id);
        self.values.push(value);
    }

    /// Restores the order after entries were added. Of those with the same id, the last one remains.
    fn sort(self) -> ShowMap<V> {
        if self.ids.is_sorted_by(|a, b| a < b) {
            return self;
        }
        let mut entries: Vec<_> = self.into_iter().collect();
        entries.sort_by_key(|(id, _)| *id);
        let mut sorted = ShowMap::default();
        for entry in entries {
            if sorted.ids.last() == Some(&entry.0) {
                sorted.ids.pop();
                sorted.values.pop();
            }
            sorted.push(entry);
        }
        sorted
    }
}

impl<V> Default for ShowMap<V> {
    fn default() -> ShowMap<V> {
        ShowMap { ids: Vec::new(), values: Vec::new() }
    }
}

impl<V> Index<&ShowId> for ShowMap<V> {
    type Output = V;

    /// # Panics
    ///
    /// If the map has no entry for the show.
    fn index(&self, id: &ShowId) -> &V {
        self.get(id).expect("no entry for this show")
    }
}

impl<V> FromIterator<(ShowId, V)> for ShowMap<V> {
    fn from_iter<I: IntoIterator<Item = (ShowId, V)>>(entries: I) -> ShowMap<V> {
        let mut map = ShowMap::default();
        entries.into_iter().for_each(|entry| map.push(entry));
        map.sort()
    }
}

impl<V> IntoIterator for ShowMap<V> {
    type Item = (ShowId, V);
    type IntoIter = std::iter::Zip<std::vec::IntoIter<ShowId>, std::vec::IntoIter<V>>;

    fn into_iter(self) -> Self::IntoIter {
        self.ids.into_iter().zip(self.values)
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for ShowMap<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<ShowMap<V>, D::Error> {
        deserializer.deserialize_map(EntriesVisitor(PhantomData))
    }
}

struct EntriesVisitor<V>(PhantomData<V>);

impl<'de, V: Deserialize<'de>> Visitor<'de> for EntriesVisitor<V> {
    type Value = ShowMap<V>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<ShowMap<V>, A::Error> {
        let mut map = ShowMap::default();
        while let Some(entry) = entries.next_entry()? {
            map.push(entry);
        }
        Ok(map.sort())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equals_a_tree(
            entries in prop::collection::vec((0_u32..20, 0_i64..9), 0..30),
            (start, end) in (0_u32..22, 0_u32..22),
        ) {
            let entries = entries.into_iter().map(|(id, value)| (ShowId(id), value));
            let map: ShowMap<i64> = entries.clone().collect();
            let tree: BTreeMap<ShowId, i64> = entries.clone().collect();
            prop_assert!(map.iter().eq(&tree));
            prop_assert!(map.keys().eq(tree.keys()) && map.values().eq(tree.values()));
            prop_assert_eq!((map.len(), map.is_empty()), (tree.len(), tree.is_empty()));
            prop_assert_eq!(map.last_key_value(), tree.last_key_value());
            for id in (0..22).map(ShowId) {
                prop_assert_eq!(map.get(&id), tree.get(&id));
                prop_assert_eq!(map.contains_key(&id), tree.contains_key(&id));
            }
            let range = ShowId(start.min(end))..ShowId(end);
            prop_assert!(map.range(range.clone()).eq(tree.range(range)));

            let members: Vec<_> = entries.map(|(id, value)| format!(r#""{id}":{value}"#)).collect();
            let json = format!("{{{}}}", members.join(","));
            prop_assert_eq!(serde_json::from_str::<ShowMap<i64>>(&json).unwrap(), map.clone());
            prop_assert!(map.into_iter().eq(tree));
        }
    }

    #[test]
    fn an_entry_that_is_not_a_number_is_rejected() {
        for json in [r#"{"a":1}"#, r#"{"1":"b"}"#, "[1]"] {
            assert!(serde_json::from_str::<ShowMap<i64>>(json).is_err(), "{json}");
        }
    }
}
