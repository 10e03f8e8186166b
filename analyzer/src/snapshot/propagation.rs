//! Which peer groups receive mounts and umounts from which (kernel doc `sharedsubtree.rst`).

use std::collections::{BTreeMap, BTreeSet};

use super::{PeerGroup, Snapshot};
use crate::parse::mountinfo::Mount;

/// The peer groups of all tables with their masters.
#[derive(Debug, Default)]
pub struct PeerGroups {
    masters: BTreeMap<PeerGroup, BTreeSet<PeerGroup>>,
}

impl PeerGroups {
    /// Gathers them: a mount that is `shared:S master:M` makes group S a slave of group M.
    pub fn of(snapshot: &Snapshot) -> Self {
        let mut masters: BTreeMap<PeerGroup, BTreeSet<PeerGroup>> = BTreeMap::new();
        for (_, mount) in snapshot.tables.iter().flat_map(|t| t.mounts()) {
            if let (Some(shared), Some(master)) = (mount.shared(), mount.master()) {
                masters.entry(shared).or_default().insert(master);
            }
        }
        Self { masters }
    }

    /// Whether what is mounted and unmounted at a mount of `group` also is at `mount`: it is in the group, a
    /// slave of it, or a slave of a slave.
    pub fn reaches(&self, group: PeerGroup, mount: &Mount<'_>) -> bool {
        let mut next: Vec<PeerGroup> =
            [mount.shared(), mount.master(), mount.propagate_from()].into_iter().flatten().collect();
        let mut seen = BTreeSet::new();
        while let Some(candidate) = next.pop() {
            if candidate == group {
                return true;
            }
            if seen.insert(candidate) {
                next.extend(self.masters.get(&candidate).into_iter().flatten());
            }
        }
        false
    }
}
