//! Mount namespaces that something keeps alive but whose table the bundle does not have. They are named as
//! holders only where the kernel counts an opener of the device and nothing else explains it.

use std::collections::BTreeMap;

use super::Found;
use crate::order;
use crate::report::HolderKind;
use crate::resolve::Target;
use crate::snapshot::{NamespaceInode, NamespaceKey, NamespacePin, Pid, PinnedBy, Snapshot};

/// Mount namespaces that are kept by a bind or a descriptor and that no table in the bundle belongs to.
pub(crate) fn unread(snapshot: &Snapshot) -> BTreeMap<NamespaceInode, Vec<&NamespacePin>> {
    let mut unread: BTreeMap<NamespaceInode, Vec<&NamespacePin>> = BTreeMap::new();
    for pin in snapshot.pins.iter().filter(|p| p.kind == b"mnt") {
        let read =
            snapshot.namespaces.get(&NamespaceKey::Inode(pin.inode)).is_some_and(|n| !n.tables.is_empty());
        if !read {
            unread.entry(pin.inode).or_default().push(pin);
        }
    }
    unread
}

/// How often the kernel counts the target's device as open, where the bundle tells.
pub(crate) fn open_count(snapshot: &Snapshot, target: &Target) -> Option<u32> {
    let ours = snapshot.devices.values().filter(|d| d.number.is_some_and(|n| target.devices.contains(&n)));
    ours.filter_map(|d| d.open_count.as_ref().map(|(n, _)| *n)).max()
}

pub(super) fn find(snapshot: &Snapshot, target: &Target, found: &mut Vec<Found>) {
    let explained = found.iter().any(|h| h.has_object);
    if explained || open_count(snapshot, target).is_none_or(|n| n == 0) {
        return;
    }
    for (inode, pins) in unread(snapshot) {
        let mut holder = Found::new(HolderKind::Pinned, Some(NamespaceKey::Inode(inode)));
        holder.has_object = true;
        holder.pids = order::set(pins.iter().filter_map(|p| keeper(p)));
        holder.evidence = pins.iter().take(8).map(|p| p.evidence.clone()).collect();
        let counts =
            snapshot.devices.values().filter(|d| d.number.is_some_and(|n| target.devices.contains(&n)));
        holder.evidence.extend(counts.filter_map(|d| d.open_count.as_ref().map(|(_, e)| e.clone())));
        holder.name_members(snapshot);
        found.push(holder);
    }
}

fn keeper(pin: &NamespacePin) -> Option<Pid> {
    match pin.by {
        PinnedBy::Descriptor(pid, _) => Some(pid),
        _ => None,
    }
}
