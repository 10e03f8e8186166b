//! How much is told one by one where there is very much of it: a host of a thousand namespaces has a million copies of
//! mounts, which nobody reads and no browser holds. What is counted or judged is always all of it.

use crate::order;

/// So many mounts, and leftovers, an answer tells one by one where nothing else is asked for.
pub(crate) const LISTED: usize = 2_000;

/// The largest number of which each may have as many, or all of its own, without being more than `most` together.
pub(crate) fn level(totals: &[usize], most: usize) -> usize {
    let mut totals = totals.to_vec();
    order::sort(&mut totals);
    let mut left = most;
    for (at, total) in totals.iter().enumerate() {
        let share = left / (totals.len() - at);
        if *total > share {
            return share;
        }
        left -= total;
    }
    most
}

/// The first so many of what comes in any order, in their order; of equal ones those that came first.
pub(crate) struct First<K, T> {
    most: usize,
    kept: Vec<(K, T)>,
}

impl<K: Ord, T> First<K, T> {
    pub(crate) fn new(most: usize) -> Self {
        Self { most, kept: Vec::new() }
    }

    pub(crate) fn push(&mut self, key: K, item: T) {
        self.kept.push((key, item));
        // Sorted seldom, and never more than twice as many.
        if self.kept.len() >= self.most.saturating_mul(2).max(64) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        order::sort_by(&mut self.kept, |a, b| a.0.cmp(&b.0));
        self.kept.truncate(self.most);
    }

    pub(crate) fn take(mut self) -> Vec<T> {
        self.cut();
        self.kept.into_iter().map(|(_, item)| item).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{First, level};

    #[test]
    fn each_may_have_as_many_as_every_other_one() {
        for (totals, most, each) in [
            (&[][..], 10, 10),
            (&[3], 10, 10),
            (&[30], 10, 10),
            (&[1, 30, 30], 11, 5),
            (&[2, 3, 4], 9, 9),
            (&[2, 3, 5], 9, 4),
            (&[9, 9, 9], 2, 0),
        ] {
            assert_eq!(level(totals, most), each, "{totals:?}, {most}");
            assert!(totals.iter().map(|total| each.min(*total)).sum::<usize>() <= most);
        }
    }

    #[test]
    fn the_first_ones_are_kept_whatever_order_they_come_in() {
        // A prime: each step goes through all numbers below it.
        const ALL: usize = 1_009;
        for step in [1, 7, 501, ALL - 1] {
            let mut first = First::new(50);
            (0..ALL).map(|n| n * step % ALL).for_each(|n| first.push(n / 2, n));
            let kept: Vec<usize> = first.take().into_iter().map(|n| n / 2).collect();
            assert_eq!(kept, (0..50).map(|n| n / 2).collect::<Vec<_>>(), "in steps of {step}");
        }
        let mut none = First::new(0);
        none.push(1, 1);
        assert!(none.take().is_empty());
    }
}
