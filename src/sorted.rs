//! Sets and maps that stand in a list in the order of their keys. One of the standard library is 4 to 8 kB of code for each type of key and
//! value, one of these a tenth of that (docs/size.md).
//!
//! What is added in order goes to the end. What is added elsewhere moves all that stands behind it, which is no matter for thousands; where more
//! may come in any order, a set is collected, which sorts once.

use std::borrow::Borrow;
use std::ops::{BitOr, Index, Sub};
use std::{slice, vec};

/// Puts a list in order, in the same time whatever its order was. Of two that stand for the same, either may come first.
pub(crate) fn sort<T>(items: &mut [T], before: impl Fn(&T, &T) -> bool) {
    if items.is_sorted_by(|a, b| !before(b, a)) {
        return;
    }
    // A heap: all of it small steps, where the sorts of the standard library are 3 to 5 kB for each type.
    let sink = |items: &mut [T], mut at: usize| {
        loop {
            let mut below = 2 * at + 1;
            if below + 1 < items.len() && before(&items[below], &items[below + 1]) {
                below += 1;
            }
            if below >= items.len() || !before(&items[at], &items[below]) {
                return;
            }
            items.swap(at, below);
            at = below;
        }
    };
    for at in (0..items.len() / 2).rev() {
        sink(items, at);
    }
    for end in (1..items.len()).rev() {
        items.swap(0, end);
        sink(&mut items[..end], 0);
    }
}

/// A map; two are equal if the same keys lead to the same values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedMap<K, V>(Vec<(K, V)>);

impl<K, V> SortedMap<K, V> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.0.iter().map(|(key, value)| (key, value))
    }

    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.0.iter().map(|(key, _)| key)
    }

    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.0.iter().map(|(_, value)| value)
    }

    pub fn iter_mut(&mut self) -> impl DoubleEndedIterator<Item = (&K, &mut V)> {
        self.0.iter_mut().map(|(key, value)| (&*key, value))
    }

    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut V> {
        self.0.iter_mut().map(|(_, value)| value)
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    fn place<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        place(&self.0, |(other, _)| other.borrow(), key)
    }

    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| &self.0[place].1)
    }

    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| &mut self.0[place].1)
    }

    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.place(key).is_ok()
    }

    /// Gives back the value that was there.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.place(&key) {
            Ok(place) => Some(std::mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (key, value));
                None
            }
        }
    }

    /// The value of this key; if there is none, one that is made now.
    pub fn or_insert_with(&mut self, key: K, value: impl FnOnce() -> V) -> &mut V {
        let place = match self.place(&key) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, (key, value()));
                place
            }
        };
        &mut self.0[place].1
    }

    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.place(key).ok().map(|place| self.0.remove(place).1)
    }
}

impl<K: Ord + Borrow<Q>, Q: Ord + ?Sized, V> Index<&Q> for SortedMap<K, V> {
    type Output = V;

    fn index(&self, key: &Q) -> &V {
        self.get(key).expect("the key is one of those of the map")
    }
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> Self {
        Self::new()
    }
}

/// Of two with the same key, the last.
impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    fn from_iter<I: IntoIterator<Item = (K, V)>>(items: I) -> Self {
        let mut map = Self::new();
        items.into_iter().for_each(|(key, value)| _ = map.insert(key, value));
        map
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

/// A set; two are equal if the same is in them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedSet<T>(Vec<T>);

impl<T> SortedSet<T> {
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> slice::Iter<'_, T> {
        self.0.iter()
    }

    pub fn last(&self) -> Option<&T> {
        self.0.last()
    }

    pub fn retain(&mut self, keep: impl FnMut(&T) -> bool) {
        self.0.retain(keep);
    }
}

impl<T: Ord> SortedSet<T> {
    fn place<Q: Ord + ?Sized>(&self, item: &Q) -> Result<usize, usize>
    where
        T: Borrow<Q>,
    {
        place(&self.0, Borrow::borrow, item)
    }

    pub fn contains<Q: Ord + ?Sized>(&self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.place(item).is_ok()
    }

    /// Whether it was not there.
    pub fn insert(&mut self, item: T) -> bool {
        let place = self.place(&item);
        if let Err(place) = place {
            self.0.insert(place, item);
        }
        place.is_err()
    }

    /// Whether it was there.
    pub fn remove<Q: Ord + ?Sized>(&mut self, item: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.place(item).map(|place| self.0.remove(place)).is_ok()
    }
}

impl<T> Default for SortedSet<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T: Ord> Extend<T> for SortedSet<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, items: I) {
        items.into_iter().for_each(|item| _ = self.insert(item));
    }
}

impl<T: Ord> FromIterator<T> for SortedSet<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        let mut items: Vec<T> = items.into_iter().collect();
        sort(&mut items, PartialOrd::lt);
        items.dedup();
        Self(items)
    }
}

impl<T> IntoIterator for SortedSet<T> {
    type Item = T;
    type IntoIter = vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a SortedSet<T> {
    type Item = &'a T;
    type IntoIter = slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.iter()
    }
}

/// What is in one of the two or in both.
impl<T: Ord + Copy> BitOr for &SortedSet<T> {
    type Output = SortedSet<T>;

    fn bitor(self, other: Self) -> SortedSet<T> {
        self.iter().chain(other).copied().collect()
    }
}

/// What is not in the other.
impl<T: Ord + Copy> Sub for &SortedSet<T> {
    type Output = SortedSet<T>;

    fn sub(self, other: Self) -> SortedSet<T> {
        self.iter().filter(|item| !other.contains(*item)).copied().collect()
    }
}

/// Where it stands, or where it would.
fn place<T, Q: Ord + ?Sized>(items: &[T], key: impl Fn(&T) -> &Q, wanted: &Q) -> Result<usize, usize> {
    match items.last() {
        Some(last) if key(last) < wanted => Err(items.len()),
        _ => items.binary_search_by(|item| key(item).cmp(wanted)),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_list_is_sorted_as_the_standard_library_sorts_it(mut items: Vec<u8>) {
            let mut expected = items.clone();
            expected.sort_unstable();
            sort(&mut items, PartialOrd::lt);
            prop_assert_eq!(items, expected);
        }

        #[test]
        fn a_set_holds_what_one_of_the_standard_library_holds(first: Vec<u8>, steps: Vec<(bool, u8)>, other: BTreeSet<u8>) {
            let (mut set, mut expected): (SortedSet<u8>, BTreeSet<u8>) = (first.iter().copied().collect(), first.into_iter().collect());
            for (adds, item) in steps {
                let (changed, changes) =
                    if adds { (set.insert(item), expected.insert(item)) } else { (set.remove(&item), expected.remove(&item)) };
                prop_assert_eq!(changed, changes);
                prop_assert_eq!(set.contains(&item), adds);
            }
            prop_assert!(set.iter().eq(&expected));
            prop_assert_eq!((set.len(), set.is_empty(), set.last()), (expected.len(), expected.is_empty(), expected.last()));
            let theirs = other.iter().copied().collect();
            prop_assert!((&set | &theirs).iter().eq(&(&expected | &other)));
            prop_assert!((&set - &theirs).iter().eq(&(&expected - &other)));
            set.retain(|item| item % 2 == 0);
            expected.retain(|item| item % 2 == 0);
            prop_assert!(set.into_iter().eq(expected));
        }

        #[test]
        fn a_map_holds_what_one_of_the_standard_library_holds(first: Vec<(u8, u8)>, steps: Vec<(u8, u8, u8)>) {
            let (mut map, mut expected): (SortedMap<u8, u8>, BTreeMap<u8, u8>) = (first.iter().copied().collect(), first.into_iter().collect());
            for (step, key, value) in steps {
                match step % 3 {
                    0 => prop_assert_eq!(map.insert(key, value), expected.insert(key, value)),
                    1 => prop_assert_eq!(map.remove(&key), expected.remove(&key)),
                    _ => prop_assert_eq!(map.or_insert_with(key, || value), expected.entry(key).or_insert_with(|| value)),
                }
                prop_assert_eq!(map.get(&key), expected.get(&key));
                prop_assert_eq!(map.contains_key(&key), expected.contains_key(&key));
                prop_assert_eq!(map.get_mut(&key), expected.get_mut(&key));
            }
            prop_assert!(map.iter().eq(&expected) && map.keys().eq(expected.keys()) && map.values().eq(expected.values()));
            map.iter_mut().for_each(|(key, value)| *value ^= *key);
            expected.iter_mut().for_each(|(key, value)| *value ^= *key);
            prop_assert!(map.values_mut().eq(expected.values_mut()));
            prop_assert!(map.into_iter().eq(expected));
        }
    }
}
