//! What a leftover does to a removal, by the table "what is busy × kernel" of [`crate::holders`].

use super::LeftoverKind;
use crate::holders::foreign_mount;
use crate::parse::mountinfo::Mount;
use crate::report::{BusyKind, Effect};
use crate::snapshot::Snapshot;

/// Effect and reason of a leftover mount. `own` is true in the namespace in which the runtime unmounts,
/// `alive` while the container still is.
pub(super) fn of_mount(
    snapshot: &Snapshot,
    kind: LeftoverKind,
    mount: &Mount<'_>,
    own: bool,
    alive: bool,
) -> (Effect, String) {
    let point = mount.mount_point();
    if own && kind == LeftoverKind::NetworkNamespace && !crate::bytes::contains_path(&point, b"docker/netns")
    {
        let reason = "It only keeps the namespace with its interfaces: nothing waits for its removal.";
        return (Effect::Holding, reason.to_owned());
    }
    if own {
        let reason = "It is a mount point in the runtime's own namespace: neither the directory nor what is mounted can be removed.";
        return (Effect::Blocking, reason.to_owned());
    }
    let busy = match mount.fs_type {
        _ if kind == LeftoverKind::NetworkNamespace => BusyKind::NamespaceFile,
        b"zfs" | b"btrfs" => BusyKind::Dataset,
        _ if !mount.device.is_anonymous() => BusyKind::Device,
        _ => BusyKind::Directory,
    };
    let facts = &snapshot.facts;
    let goes_with_the_container = alive
        && kind != LeftoverKind::PodVolume
        && matches!(busy, BusyKind::Device | BusyKind::Dataset)
        && facts.docker_removes_mount_points() == Some(true)
        && facts.drops_foreign_mounts() == Some(true);
    if goes_with_the_container {
        let reason = "This docker removes the mount point after its umount, and this kernel then drops the copy: it keeps the device only until the container goes.";
        return (Effect::Holding, reason.to_owned());
    }
    foreign_mount(snapshot, busy, false)
}
