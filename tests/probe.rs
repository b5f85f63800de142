//! Probe: the sorted map and set against those of the standard library, exhaustively for short lists and at random for long ones.
#![allow(dead_code, unused, clippy::all, clippy::pedantic, missing_docs)]

#[path = "../src/sorted.rs"]
mod sorted;

use std::collections::{BTreeMap, BTreeSet};

use sorted::*;

/// A small generator, the same for every run.
struct Draw(u64);

impl Draw {
    fn below(&mut self, n: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % n
    }
}

#[test]
fn sort_is_right_for_every_list_up_to_eight() {
    for length in 0..=8_u32 {
        for code in 0..6_u32.pow(length.min(7)) {
            let mut rest = code;
            let list: Vec<u32> = (0..length)
                .map(|_| {
                    let digit = rest % 6;
                    rest /= 6;
                    digit
                })
                .collect();
            let (mut ours, mut theirs) = (list.clone(), list.clone());
            sort(&mut ours, PartialOrd::lt);
            theirs.sort();
            assert_eq!(ours, theirs, "{list:?}");
            let mut pairs: Vec<(u32, usize)> = list.iter().copied().zip(0..).collect();
            sort(&mut pairs, |a, b| a.0 < b.0);
            let mut all: Vec<usize> = pairs.iter().map(|pair| pair.1).collect();
            assert!(pairs.is_sorted_by_key(|pair| pair.0), "{list:?}");
            all.sort();
            assert!(all.into_iter().eq(0..list.len()), "{list:?}");
        }
    }
}

#[test]
fn long_ones_at_random() {
    let mut draw = Draw(88_172_645_463_325_252);
    for round in 0..60 {
        let (mut map, mut tree): (SortedMap<String, u64>, BTreeMap<String, u64>) = Default::default();
        let (mut set, mut leaves): (SortedSet<i64>, BTreeSet<i64>) = Default::default();
        let range = 1 + draw.below(3000);
        for _ in 0..4000 {
            let (key, value) = (format!("{:x}", draw.below(range)), draw.below(1 << 40));
            match draw.below(6) {
                0 | 1 => assert_eq!(map.insert(key.clone(), value), tree.insert(key.clone(), value)),
                2 => assert_eq!(map.remove(key.as_str()), tree.remove(key.as_str())),
                3 => assert_eq!(map.or_insert_with(key.clone(), || value), tree.entry(key.clone()).or_insert_with(|| value)),
                4 => assert_eq!(
                    map.get_mut(key.as_str()).map(|v| {
                        *v += 1;
                        *v
                    }),
                    tree.get_mut(key.as_str()).map(|v| {
                        *v += 1;
                        *v
                    })
                ),
                _ => assert_eq!(map.contains_key(key.as_str()), tree.contains_key(key.as_str())),
            }
            let number = draw.below(range) as i64 - range as i64 / 2;
            match draw.below(4) {
                0 | 1 => assert_eq!(set.insert(number), leaves.insert(number)),
                2 => assert_eq!(set.remove(&number), leaves.remove(&number)),
                _ => assert_eq!(set.contains(&number), leaves.contains(&number)),
            }
            assert_eq!((set.last(), set.len(), map.len()), (leaves.last(), leaves.len(), tree.len()));
        }
        assert!(map.iter().eq(tree.iter()) && map.iter().rev().eq(tree.iter().rev()) && set.iter().eq(leaves.iter()), "{round}");
        let others: Vec<i64> = (0..draw.below(2000)).map(|_| draw.below(range) as i64 - range as i64 / 2).collect();
        let (ours, theirs): (SortedSet<i64>, BTreeSet<i64>) = (others.iter().copied().collect(), others.iter().copied().collect());
        assert!((&set | &ours).iter().eq(&(&leaves | &theirs)) && (&set - &ours).iter().eq(&(&leaves - &theirs)));
        set.extend(others.iter().copied());
        leaves.extend(others.iter().copied());
        assert!(set.iter().eq(leaves.iter()));
        assert!(set.contains(&i64::MIN) == leaves.contains(&i64::MIN));
    }
}
