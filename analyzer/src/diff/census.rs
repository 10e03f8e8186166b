//! What is left over on a host at two times.

use std::collections::HashMap;

use serde::{Deserialize, Serialize};

use super::count;
use super::holders::{Same, same_processes};
use crate::census::{Census, CensusGroup, Leftover, LeftoverKind};
use crate::report::HolderKind;

/// Leftovers that came, went and stayed.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CensusChanges {
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
pub(super) fn compare(a: &Census, b: &Census, restarted: bool) -> CensusChanges {
    let (a, b) = (all(a), all(b));
    let mut matched = vec![false; b.len()];
    // A host may have a hundred thousand of them: only those at the same place are compared.
    let mut by_place: HashMap<Place<'_>, Vec<usize>> = HashMap::new();
    for (i, (_, leftover)) in b.iter().enumerate() {
        by_place.entry(place(leftover)).or_default().push(i);
    }
    let mut changes = CensusChanges::default();
    for (group, leftover) in &a {
        let candidates = by_place.get(&place(leftover)).into_iter().flatten().copied();
        let partner = candidates
            .into_iter()
            .filter(|_| !restarted)
            .find(|i| !matched[*i] && is_same((group, leftover), b[*i]));
        match partner {
            Some(i) => {
                matched[i] = true;
                changes.still.push(change(b[i]));
            }
            None => changes.gone.push(change((group, leftover))),
        }
    }
    changes.new = (0..b.len()).filter(|i| !matched[*i]).map(|i| change(b[i])).collect();
    changes
}

/// What a leftover is and where, whoever keeps it.
type Place<'c> = (LeftoverKind, &'c str, Option<u64>, Option<(&'c str, &'c str)>);

fn place(leftover: &Leftover) -> Place<'_> {
    let point = leftover.mount.as_ref().map(|m| (m.mount_point.as_str(), m.root.as_str()));
    (leftover.kind, &leftover.object, leftover.mount_namespace, point)
}

fn all(census: &Census) -> Vec<(&CensusGroup, &Leftover)> {
    census.groups.iter().flat_map(|g| g.leftovers.iter().map(move |l| (g, l))).collect()
}

fn change((group, leftover): (&CensusGroup, &Leftover)) -> LeftoverChange {
    LeftoverChange { holder: group.label.clone(), leftover: leftover.clone() }
}

/// Whether two leftovers at the same place are kept by the same processes.
fn is_same((group, one): (&CensusGroup, &Leftover), (other_group, other): (&CensusGroup, &Leftover)) -> bool {
    if group.kind != other_group.kind {
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
            let id = |l: &Leftover| l.mount.as_ref().map(|m| (m.id, m.device.clone()));
            id(one).is_some()
                && id(one) == id(other)
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
    let things = |n: usize| count(n, "leftover", "leftovers");
    match (changes.gone.len(), changes.new.len(), changes.still.len()) {
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
