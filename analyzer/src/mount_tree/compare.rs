//! What differs between two mount tables, by mount point, device and root. Ids and peer groups differ in every
//! copy and say nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::Change;
use crate::bytes::shown;
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::snapshot::DeviceNumber;

/// A mount with its line.
type Numbered<'a> = (u32, Mount<'a>);
/// What is mounted: device and root as it is escaped in the table.
type Thing<'a> = (DeviceNumber, &'a [u8]);

/// The host's table, to look things up in.
pub(super) struct Known<'a> {
    at: BTreeSet<(&'a [u8], Thing<'a>)>,
    points: BTreeSet<&'a [u8]>,
    first_place: BTreeMap<Thing<'a>, &'a Mount<'a>>,
}

impl<'a> Known<'a> {
    pub(super) fn of(table: &'a [Numbered<'a>]) -> Self {
        let mut first_place = BTreeMap::new();
        for (_, mount) in table {
            first_place.entry(thing(mount)).or_insert(mount);
        }
        Self {
            at: order::set(table.iter().map(|(_, mount)| (mount.raw_mount_point, thing(mount)))),
            points: order::set(table.iter().map(|(_, mount)| mount.raw_mount_point)),
            first_place,
        }
    }

    /// How a mount compares, and where the host has the same thing if not there.
    pub(super) fn compare(&self, mount: &Mount<'_>) -> (Change, Option<String>) {
        let thing = thing(mount);
        if self.at.contains(&(mount.raw_mount_point, thing)) {
            return (Change::Same, None);
        }
        let elsewhere = self.first_place.get(&thing).map(|other| shown(&other.mount_point()));
        let taken = self.points.contains(mount.raw_mount_point);
        (if taken { Change::Different } else { Change::Added }, elsewhere)
    }
}

/// The host's mounts at whose place the other table has nothing.
pub(super) fn missing<'t, 'a>(
    own: &'t [Numbered<'a>],
    host: &'t [Numbered<'a>],
) -> Vec<(u32, &'t Mount<'a>)> {
    let here = order::set(own.iter().map(|(_, mount)| mount.raw_mount_point));
    host.iter()
        .filter(|(_, mount)| !here.contains(mount.raw_mount_point))
        .map(|(line, mount)| (*line, mount))
        .collect()
}

/// Whether both see the same file system at `/`: the last mount there is the one that is seen.
pub(super) fn same_root(own: &[Numbered<'_>], host: &[Numbered<'_>]) -> bool {
    fn root<'t>(table: &'t [Numbered<'_>]) -> Option<Thing<'t>> {
        table.iter().rev().find(|(_, mount)| mount.raw_mount_point == b"/").map(|(_, mount)| thing(mount))
    }
    root(own) == root(host)
}

fn thing<'t>(mount: &'t Mount<'_>) -> Thing<'t> {
    (mount.device, mount.raw_root)
}
