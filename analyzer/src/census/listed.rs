//! Which of all that is left over is told one by one: a host of a thousand namespaces with copies of as many mounts has
//! a million leftovers, which nobody reads and no browser holds. The counts are always of all.

use std::cmp::Reverse;

use super::groups::{Group, Inventory};
use super::survey::Finding;
use super::{CensusGroup, Leftover, LeftoverKind};
use crate::order;
use crate::report::Effect;
use crate::snapshot::MountId;

/// So many groups are told, the worst ones.
const GROUPS: usize = 1_000;

/// The groups, worst first, with at most so many leftovers in all: of each group as many as of every other one, but all
/// that it has where that is fewer, and one at least.
pub(super) fn groups(inventory: &Inventory<'_>, most: usize) -> Vec<CensusGroup> {
    let mut worst = First::new(GROUPS);
    for group in &inventory.groups {
        let holder = inventory.holder(group);
        worst.push(rank(&holder), (holder, group));
    }
    let worst = worst.take();
    let totals: Vec<usize> = worst.iter().map(|(_, group)| group.findings.len()).collect();
    let each = level(&totals, most).max(1);
    let listed = worst.into_iter().map(|(mut holder, group)| {
        holder.leftovers = leftovers(inventory, group, each);
        holder
    });
    listed.collect()
}

/// What blocks a removal before what only holds space.
pub(crate) type Rank = (Reverse<u32>, Reverse<Option<u64>>, Reverse<u32>, String, Vec<u32>);

pub(crate) fn rank(group: &CensusGroup) -> Rank {
    let (blocking, pinned) = (Reverse(group.blocking), Reverse(group.pinned_bytes));
    (blocking, pinned, Reverse(group.total), group.label.clone(), group.pids.clone())
}

/// The first ones of a group: blocking ones, then those of containers that are gone.
fn leftovers(inventory: &Inventory<'_>, group: &Group, most: usize) -> Vec<Leftover> {
    let mut first = First::new(most);
    for finding in &group.findings {
        first.push(place_in_group(inventory, finding), finding);
    }
    first.take().into_iter().filter_map(|finding| inventory.survey.leftover(finding)).collect()
}

/// A leftover's place among those of its group.
pub(crate) type InGroup = (Effect, bool, LeftoverKind, String, Option<(Vec<u8>, MountId)>);

pub(crate) fn place_in_group(inventory: &Inventory<'_>, finding: &Finding) -> InGroup {
    let mount = inventory
        .survey
        .mount(finding)
        .map(|placed| (placed.mount.mount_point().into_owned(), placed.mount.id));
    (finding.effect, finding.is_running, finding.kind, inventory.survey.object(finding), mount)
}

/// The largest number of which each may have as many, or all of its own, without being more than `most` together.
fn level(totals: &[usize], most: usize) -> usize {
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
        for step in [1, 7, 501, 1_000] {
            let mut first = First::new(50);
            (0..1_001).map(|n| n * step % 1_001).for_each(|n| first.push(n / 2, n));
            let kept = first.take();
            assert_eq!(
                kept.iter().map(|n| n / 2).collect::<Vec<_>>(),
                (0..100).map(|n| n / 2).take(50).collect::<Vec<_>>()
            );
            assert!(First::<u8, u8>::new(0).take().is_empty());
        }
    }
}
