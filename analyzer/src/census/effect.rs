//! What a leftover does to a removal: the same table "what is busy × kernel" as for holders.

use super::LeftoverKind;
use crate::parse::mountinfo::Mount;
use crate::report::Effect;
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
    let device = !mount.device.is_anonymous();
    let dataset = matches!(mount.fs_type, b"zfs" | b"btrfs");
    let removes_mount_point = docker_removes_mount_points(snapshot) == Some(true);
    if own {
        let reason = "It is a mount point in the runtime's own namespace: neither the directory nor what is mounted can be removed.";
        return (Effect::Blocking, reason.to_owned());
    }
    let drops = snapshot.facts.drops_foreign_mounts();
    if kind == LeftoverKind::PodVolume && device {
        let reason = "The volume's block device stays open: it cannot be detached, on any kernel.";
        return (Effect::Blocking, reason.to_owned());
    }
    if (device || dataset) && alive && removes_mount_point && drops == Some(true) {
        let reason = "This docker removes the mount point after its umount, and this kernel then drops the copy: it keeps the device only until the container goes.";
        return (Effect::Holding, reason.to_owned());
    }
    if device {
        let reason = "A mount in any namespace keeps a block device open: its removal fails with \"device is busy\", on every kernel.";
        return (Effect::Blocking, reason.to_owned());
    }
    if dataset {
        let reason = "A mount in any namespace keeps a dataset or subvolume busy: it cannot be destroyed, on every kernel.";
        return (Effect::Blocking, reason.to_owned());
    }
    let kernel =
        snapshot.facts.kernel.as_deref().map(|k| crate::bytes::visible(k.as_bytes())).unwrap_or_default();
    match drops {
        Some(false) => (
            Effect::Blocking,
            format!("Kernel {kernel} does not remove a directory or file that is a mount point in any namespace: its removal fails with \"device or resource busy\"."),
        ),
        Some(true) => (
            Effect::Holding,
            format!("Kernel {kernel} drops the copy when the directory is removed: it only holds what is mounted until then."),
        ),
        None => (
            Effect::Holding,
            "The bundle does not tell the kernel: before 3.18 it blocks the removal of the directory, later it only holds space.".to_owned(),
        ),
    }
}

/// Whether dockerd removes a layer's mount point after the umount; 20.10 does, 17.05 does not, and between
/// them it changed driver by driver: `None`.
fn docker_removes_mount_points(snapshot: &Snapshot) -> Option<bool> {
    let version = snapshot.facts.docker_version.as_deref()?;
    let major: u32 = version.split('.').next()?.parse().ok()?;
    match major {
        20.. => Some(true),
        ..=17 => Some(false),
        _ => None,
    }
}
