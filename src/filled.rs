//! Sets and maps that are filled one by one. `collect` sorts first, with some 5 kB of code for each type (docs/size.md).

use std::collections::{BTreeMap, BTreeSet};

/// A set of these.
pub(crate) fn set<T: Ord>(items: impl Iterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

/// A map of these; of two with the same key, the last.
pub(crate) fn map<K: Ord, V>(items: impl Iterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(items);
    map
}
