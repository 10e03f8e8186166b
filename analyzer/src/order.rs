//! Sorting with little code. The standard library makes a copy of its sort (4 KB of WebAssembly) for each type and
//! each order, also to collect a `BTreeMap` or `BTreeSet`, and there were forty of them in the page. Here one copy sorts
//! places instead of items; the items follow in the end.

use std::cmp::Ordering;
use std::collections::{BTreeMap, BTreeSet};

/// Sorts, and leaves equal items in their order.
pub fn sort_by<T>(items: &mut [T], mut compare: impl FnMut(&T, &T) -> Ordering) {
    let mut sources = sorted_places(items.len(), &mut |a, b| compare(&items[a], &items[b]));
    follow(&mut sources, &mut |a, b| items.swap(a, b));
}

/// Sorts by what `key` tells of an item, and leaves equal items in their order.
pub fn sort_by_key<T, K: Ord>(items: &mut [T], mut key: impl FnMut(&T) -> K) {
    sort_by(items, |a, b| key(a).cmp(&key(b)));
}

/// Sorts by the items' own order.
pub fn sort<T: Ord>(items: &mut [T]) {
    sort_by(items, T::cmp);
}

/// A set of these.
pub fn set<T: Ord>(items: impl IntoIterator<Item = T>) -> BTreeSet<T> {
    let mut set = BTreeSet::new();
    set.extend(items);
    set
}

/// A map of these; of entries with one key the last stays.
pub fn map<K: Ord, V>(entries: impl IntoIterator<Item = (K, V)>) -> BTreeMap<K, V> {
    let mut map = BTreeMap::new();
    map.extend(entries);
    map
}

/// The places of the items in their order.
fn sorted_places(length: usize, compare: &mut dyn FnMut(usize, usize) -> Ordering) -> Vec<usize> {
    let mut places: Vec<usize> = (0..length).collect();
    places.sort_unstable_by(|a, b| compare(*a, *b).then(a.cmp(b)));
    places
}

/// Brings to each place what is at `sources[place]`, cycle by cycle.
fn follow(sources: &mut [usize], swap: &mut dyn FnMut(usize, usize)) {
    for start in 0..sources.len() {
        let mut place = start;
        loop {
            let source = std::mem::replace(&mut sources[place], place);
            if source == start || source == place {
                break;
            }
            swap(place, source);
            place = source;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Numbers without an order, the same in each run.
    fn numbers(length: u32) -> Vec<u32> {
        (0..length).map(|n| n.wrapping_mul(2_654_435_761) >> 7 & 0x3f).collect()
    }

    #[test]
    fn sorts_as_the_standard_library_does() {
        for length in [0, 1, 2, 3, 20, 21, 500] {
            let mut ours: Vec<(u32, usize)> = numbers(length).into_iter().zip(0..).collect();
            let mut theirs = ours.clone();
            sort_by_key(&mut ours, |item| item.0);
            theirs.sort_by_key(|item| item.0);
            assert_eq!(ours, theirs, "equal items keep their order; {length} items");
            sort(&mut ours);
            theirs.sort();
            assert_eq!(ours, theirs, "{length} items");
        }
    }

    #[test]
    fn of_two_entries_with_one_key_the_last_stays() {
        assert_eq!(map([(1, 'a'), (2, 'b'), (1, 'c')]), BTreeMap::from([(1, 'c'), (2, 'b')]));
        assert_eq!(set([2, 1, 2]), BTreeSet::from([1, 2]));
    }
}
