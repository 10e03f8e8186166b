//! Copies that are no holders of their own: while the mount is still there in the runtime's namespace, copies
//! that its umount will reach go with it.

use super::Found;
use crate::bytes::ends_with_path;
use crate::report::{BusyKind, Effect, HolderKind, MountView};
use crate::resolve::Target;
use crate::snapshot::{MountId, NamespaceKey, PeerGroups, Snapshot};

/// Turns copies that will follow the runtime's own umount from blocking to holding.
pub(super) fn judge(snapshot: &Snapshot, target: &Target, found: &mut [Found]) {
    let own = found
        .iter()
        .find(|h| h.is_daemons && !h.directory_mounts.is_empty() && h.kind != HolderKind::OpenFile);
    let Some((own, own_key)) = own.and_then(|own| {
        // Only what lies on the target's own directory is unmounted by the runtime.
        let mounts = own.mounts.iter().filter(|m| own.directory_mounts.contains(&m.id));
        Some((mounts.cloned().collect::<Vec<_>>(), own.namespace?))
    }) else {
        return;
    };
    let groups = PeerGroups::of(snapshot);
    let follows = |key: NamespaceKey, copy: &MountView| {
        let is_copy = |m: &&MountView| {
            let same_place = ends_with_path(copy.mount_point.as_bytes(), m.mount_point.as_bytes());
            m.device == copy.device && m.root == copy.root && same_place
        };
        let original = own.iter().find(is_copy)?;
        let (_, _, own_parent) = snapshot.parent_of(own_key, MountId(original.id))?;
        let (_, _, parent) = snapshot.parent_of(key, MountId(copy.id))?;
        Some(groups.reaches(own_parent.shared()?, &parent))
    };
    // The container's own processes are in the way whatever the umount takes along.
    let is_copy = |h: &&mut Found| {
        let is_targets_own = h.is_target && h.kind == HolderKind::Container;
        !h.is_daemons && !is_targets_own && !h.mounts.is_empty() && h.kind != HolderKind::Device
    };
    for holder in found.iter_mut().filter(is_copy) {
        let Some(key) = holder.namespace else { continue };
        let is_device = super::effect::busy_there(target, holder) == BusyKind::Device;
        // Mounts elsewhere stay, and on a block device they keep it open; other mounts do not block.
        let counts = |m: &&MountView| {
            holder.directory_mounts.contains(&m.id) || (is_device && holder.object_mounts.contains(&m.id))
        };
        let all_follow = holder
            .mounts
            .iter()
            .filter(counts)
            .all(|m| holder.directory_mounts.contains(&m.id) && follows(key, m) == Some(true));
        if all_follow && holder.effect == Effect::Blocking && holder.open_files.is_empty() {
            holder.effect = Effect::Holding;
            holder.effect_reason =
                "It receives umounts from the runtime's namespace, where the mount still is: it goes when that one goes.".to_owned();
        }
    }
}
