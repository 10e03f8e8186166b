//! What is left over on a host at two times.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::count;
use super::holders::{Same, same_processes};
use crate::census::listed::{InGroup, place_in_group, rank};
use crate::census::{CensusGroup, Finding, Inventory, LISTED, Leftover, LeftoverKind};
use crate::extent::First;
use crate::order;
use crate::report::HolderKind;

/// Leftovers that came, went and stayed. Of very many only the first are listed (2,000 of each list), those of the worst
/// holders; the counts are of all.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CensusChanges {
    /// How many are only in the first bundle.
    pub gone_count: u32,
    /// How many are only in the second bundle.
    pub new_count: u32,
    /// How many are in both.
    pub still_count: u32,
    /// Only in the first bundle.
    pub gone: Vec<LeftoverChange>,
    /// Only in the second bundle.
    pub new: Vec<LeftoverChange>,
    /// In both.
    pub still: Vec<LeftoverChange>,
}

/// A leftover with who keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct LeftoverChange {
    /// Who keeps it.
    pub holder: String,
    /// What it is, as in the latest bundle that has it.
    pub leftover: Leftover,
}

/// After a restart nothing is the same any more, whatever its numbers.
pub(super) fn compare(a: &Inventory<'_>, b: &Inventory<'_>, restarted: bool) -> CensusChanges {
    let (a, b) = (Side::of(a), Side::of(b));
    let mut matched = vec![false; b.kept.len()];
    // A host may have a hundred thousand of them: only those at the same place are compared.
    let mut by_place: HashMap<Place<'_>, Vec<usize>> = HashMap::new();
    for (i, kept) in b.kept.iter().enumerate() {
        by_place.entry(b.place(kept)).or_default().push(i);
    }
    let (mut gone, mut new, mut still) = (Changed::default(), Changed::default(), Changed::default());
    for kept in &a.kept {
        let candidates = by_place.get(&a.place(kept)).into_iter().flatten().copied();
        let partner = candidates
            .into_iter()
            .filter(|_| !restarted)
            .find(|i| !matched[*i] && is_same((&a, kept), (&b, &b.kept[*i])));
        match partner {
            Some(i) => {
                matched[i] = true;
                still.push(&b, &b.kept[i]);
            }
            None => gone.push(&a, kept),
        }
    }
    b.kept.iter().zip(matched).filter(|(_, matched)| !matched).for_each(|(kept, _)| new.push(&b, kept));
    CensusChanges {
        gone_count: gone.count,
        new_count: new.count,
        still_count: still.count,
        gone: gone.listed(&a),
        new: new.listed(&b),
        still: still.listed(&b),
    }
}

/// All that is left over at one of the two times.
struct Side<'t, 's> {
    inventory: &'t Inventory<'s>,
    /// Who keeps it, worst first.
    holders: Vec<CensusGroup>,
    kept: Vec<Kept<'t>>,
}

#[derive(Clone, Copy)]
struct Kept<'t> {
    /// Index of the holder.
    holder: usize,
    finding: &'t Finding,
}

/// What a leftover is and where, whoever keeps it; raw mount point and root.
type Place<'s> = (LeftoverKind, Option<u64>, Option<(&'s [u8], &'s [u8])>);

impl<'t, 's> Side<'t, 's> {
    fn of(inventory: &'t Inventory<'s>) -> Self {
        let mut groups: Vec<_> =
            inventory.groups.iter().map(|group| (inventory.holder(group), group)).collect();
        order::sort_by_key(&mut groups, |(holder, _)| rank(holder));
        let mut kept = Vec::new();
        for (holder, (_, group)) in groups.iter().enumerate() {
            kept.extend(group.findings.iter().map(|finding| Kept { holder, finding }));
        }
        Self { inventory, holders: groups.into_iter().map(|(holder, _)| holder).collect(), kept }
    }

    fn place(&self, kept: &Kept<'_>) -> Place<'s> {
        let mount = self.inventory.survey.mount(kept.finding).map(|placed| placed.mount);
        let paths = mount.map(|mount| (mount.raw_mount_point, mount.raw_root));
        (kept.finding.kind, self.inventory.survey.inode(kept.finding), paths)
    }

    fn mount_id(&self, kept: &Kept<'_>) -> Option<(u32, crate::snapshot::DeviceNumber)> {
        self.inventory.survey.mount(kept.finding).map(|placed| (placed.mount.id.0, placed.mount.device))
    }
}

/// How many changed in one way, and the first of them.
struct Changed<'t> {
    count: u32,
    first: First<(usize, InGroup), Kept<'t>>,
}

impl Default for Changed<'_> {
    fn default() -> Self {
        Self { count: 0, first: First::new(LISTED) }
    }
}

impl<'t> Changed<'t> {
    fn push(&mut self, side: &Side<'t, '_>, kept: &Kept<'t>) {
        self.count = self.count.saturating_add(1);
        self.first.push((kept.holder, place_in_group(side.inventory, kept.finding)), *kept);
    }

    fn listed(self, side: &Side<'_, '_>) -> Vec<LeftoverChange> {
        let change = |kept: Kept<'_>| {
            let holder = side.holders.get(kept.holder)?.label.clone();
            Some(LeftoverChange { holder, leftover: side.inventory.survey.leftover(kept.finding)? })
        };
        self.first.take().into_iter().filter_map(change).collect()
    }
}

/// Whether two leftovers at the same place are the same thing, kept by the same processes.
fn is_same((a, one): (&Side<'_, '_>, &Kept<'_>), (b, other): (&Side<'_, '_>, &Kept<'_>)) -> bool {
    let (Some(group), Some(other_group)) = (a.holders.get(one.holder), b.holders.get(other.holder)) else {
        return false;
    };
    if group.kind != other_group.kind
        || a.inventory.survey.object(one.finding) != b.inventory.survey.object(other.finding)
    {
        return false;
    }
    // The host's namespace is what it is, whatever daemon runs in it.
    if group.kind == HolderKind::Host {
        return true;
    }
    let first = |g: &CensusGroup| g.process.clone().into_iter().collect::<Vec<_>>();
    let (mine, others) = (first(group), first(other_group));
    match same_processes(&mine.iter().collect::<Vec<_>>(), &others.iter().collect::<Vec<_>>()) {
        Same::Yes | Same::Perhaps => true,
        // The first process may have ended while another one of the same namespace lives on.
        Same::No => {
            let id = a.mount_id(one);
            id.is_some()
                && id == b.mount_id(other)
                && share_a_pid(group, other_group)
                && !reused(&mine, &others)
        }
        Same::NoProcess => mine.is_empty() && others.is_empty(),
    }
}

fn share_a_pid(a: &CensusGroup, b: &CensusGroup) -> bool {
    a.pids.iter().any(|pid| b.pids.contains(pid))
}

/// Whether the first processes have one pid and different starts.
fn reused(a: &[crate::report::ProcessView], b: &[crate::report::ProcessView]) -> bool {
    a.iter().any(|one| b.iter().any(|other| one.pid == other.pid && one.started_at != other.started_at))
}

/// `whole`: nothing is missing from the second bundle.
pub(super) fn summary(changes: &CensusChanges, whole: bool) -> String {
    let things = |n: u32| count(n as usize, "leftover", "leftovers");
    match (changes.gone_count, changes.new_count, changes.still_count) {
        (0, 0, 0) => "Nothing is left over in either bundle.".to_owned(),
        (gone, 0, 0) if !whole => {
            format!("None of {} of the first bundle is in what could be read of the second.", things(gone))
        }
        (gone, 0, 0) => {
            format!("All {} of the first bundle are gone by themselves: nothing leaks.", things(gone))
        }
        (gone, new, still) => format!(
            "On the whole host {} in both bundles, {} new, {} gone.",
            match still {
                1 => "1 leftover is".to_owned(),
                n => format!("{n} leftovers are"),
            },
            new,
            gone
        ),
    }
}
