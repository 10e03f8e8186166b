//! Which peer groups receive mounts and umounts from which (kernel doc `sharedsubtree.rst`).

use std::collections::{BTreeMap, BTreeSet};

use super::table::Wanted;
use super::{MountNamespace, PeerGroup, Placed, Snapshot};
use crate::bytes::{components, is_at_or_below};
use crate::parse::mountinfo::Mount;

/// The peer groups of all tables with their masters, see [`Snapshot::peer_groups`].
#[derive(Debug, Default)]
pub struct PeerGroups {
    /// Of each group that has a mount anywhere.
    masters: BTreeMap<PeerGroup, BTreeSet<PeerGroup>>,
}

impl PeerGroups {
    /// Gathers them: a mount that is `shared:S master:M` makes group S a slave of group M.
    fn of(snapshot: &Snapshot) -> Self {
        let mut masters: BTreeMap<PeerGroup, BTreeSet<PeerGroup>> = BTreeMap::new();
        let first_shared =
            |mount: &Mount<'_>| if mount.shared().is_some() { Wanted::First } else { Wanted::None };
        snapshot.each_mount(&first_shared, &mut |Placed { mount, .. }| {
            if let Some(shared) = mount.shared() {
                masters.entry(shared).or_default().extend(mount.master());
            }
        });
        Self { masters }
    }

    /// Whether any mount is in the group.
    pub fn has_mounts(&self, group: PeerGroup) -> bool {
        self.masters.contains_key(&group)
    }

    /// Whether a umount at `at` on the mount `parent` also unmounts what is mounted at `copy_at` on `copy_parent`.
    /// The kernel looks at each mount that receives from `parent` for something at the very same directory
    /// (`propagate_umount` in fs/pnode.c); what is mounted there and whether that is shared plays no part.
    pub fn unmounts(
        &self,
        (parent, at): (&Mount<'_>, &[u8]),
        (copy_parent, copy_at): (&Mount<'_>, &[u8]),
    ) -> bool {
        let Some(group) = parent.shared() else { return false };
        parent.id != copy_parent.id
            && parent.device == copy_parent.device
            && place_on(parent, at).is_some_and(|place| Some(place) == place_on(copy_parent, copy_at))
            && self.reaches(group, copy_parent)
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

impl Snapshot {
    /// The peer groups of all tables, gathered when they are first asked for.
    pub fn peer_groups(&self) -> &PeerGroups {
        self.peer_groups.get_or_init(|| PeerGroups::of(self))
    }

    /// The path that leads to a directory in a namespace: the one that `path` is on `mount`, a mount of any namespace.
    pub fn path_in(&self, namespace: &MountNamespace, mount: &Mount<'_>, path: &[u8]) -> Option<Vec<u8>> {
        let place = place_on(mount, path)?;
        let tables = namespace.tables.iter().filter_map(|t| self.table(*t));
        let paths = tables.flat_map(|table| {
            let place = &place;
            table.mounts().filter(|(_, m)| m.device == mount.device).filter_map(move |(_, m)| {
                let root = m.root();
                let rest =
                    place.strip_prefix(&components(&root).map(<[u8]>::to_vec).collect::<Vec<_>>()[..])?;
                let point = m.mount_point();
                let whole: Vec<&[u8]> = components(&point).chain(rest.iter().map(Vec::as_slice)).collect();
                let path = [b"/", &whole.join(&b'/')[..]].concat();
                // A mount in between may hide it.
                (table.lookup(&path)?.1.id == m.id).then_some(path)
            })
        });
        paths.min_by_key(|path| components(path).count())
    }
}

/// The directory that `path` is on a mount, as components within its file system.
fn place_on(mount: &Mount<'_>, path: &[u8]) -> Option<Vec<Vec<u8>>> {
    let (root, point) = (mount.root(), mount.mount_point());
    if !is_at_or_below(path, &point) {
        return None;
    }
    let below = components(path).skip(components(&point).count());
    Some(components(&root).chain(below).map(<[u8]>::to_vec).collect())
}
