//! Which of all that is left over is told one by one: a host of a thousand namespaces with copies of as many mounts has
//! a million leftovers, which nobody reads and no browser holds. The counts are always of all.

use std::cmp::Reverse;

use super::groups::{Group, Inventory};
use super::survey::Finding;
use super::{CensusGroup, Leftover, LeftoverKind};
use crate::extent::{First, level};
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
