//! Whether a mount lies on the busy directory: what the kernel refuses to remove is a directory that a mount is on
//! (`d_mountpoint` in fs/namei.c), whatever its path in some namespace; the same file system mounted elsewhere is not
//! in the way.

use std::collections::BTreeSet;

use crate::order;
use crate::parse::mountinfo::Mount;
use crate::report::BusyKind;
use crate::resolve::Target;
use crate::snapshot::{Place, Places, Snapshot, TableId};

/// The busy directories.
pub(super) struct Directories(BTreeSet<Place>);

impl Directories {
    /// Those of the target's paths, as the daemon's namespace shows them.
    pub(super) fn of(snapshot: &Snapshot, target: &Target) -> Self {
        // A umount takes the mount that the path leads to, whatever that one is on.
        if target.busy == BusyKind::Umount {
            return Self(BTreeSet::new());
        }
        let places = snapshot.daemon_tables().flat_map(|table| {
            let places = Places::of(table);
            target.paths.iter().filter_map(|path| places.at(path)).collect::<Vec<_>>()
        });
        Self(order::set(places))
    }

    /// Whether a mount of this table lies on one of them; `None` where the table does not show what it is mounted on.
    pub(super) fn hold(
        &self,
        snapshot: &Snapshot,
        table: TableId,
        places: &Places<'_>,
        mount: &Mount<'_>,
    ) -> Option<bool> {
        // The root of a namespace lies on no directory. In a chroot, what is at `/` may lie anywhere.
        if mount.raw_mount_point == b"/" && snapshot.is_from_root(table) {
            return Some(false);
        }
        if self.0.is_empty() {
            return None;
        }
        Some(self.0.contains(&places.under(mount)?))
    }
}
