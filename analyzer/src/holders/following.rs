//! Copies that are no holders of their own: while the mount is still there in the runtime's namespace, copies
//! that its umount will reach go with it.

use super::Found;
use crate::report::{Effect, HolderKind, MountView};
use crate::snapshot::{MountId, NamespaceKey, PeerGroups, Snapshot};

/// Turns copies that will follow the runtime's own umount from blocking to holding.
pub(super) fn judge(snapshot: &Snapshot, found: &mut [Found]) {
    let own = found
        .iter()
        .find(|h| h.is_daemons && h.has_object && !h.mounts.is_empty() && h.kind != HolderKind::OpenFile);
    let Some((own, own_key)) = own.and_then(|own| Some((own.mounts.clone(), own.namespace?))) else { return };
    let groups = PeerGroups::of(snapshot);
    let follows = |key: NamespaceKey, copy: &MountView| {
        let original = own.iter().find(|m| m.device == copy.device && m.root == copy.root)?;
        let (_, _, own_parent) = snapshot.parent_of(own_key, MountId(original.id))?;
        let (_, _, parent) = snapshot.parent_of(key, MountId(copy.id))?;
        Some(groups.reaches(own_parent.shared()?, &parent))
    };
    for holder in
        found.iter_mut().filter(|h| !h.is_daemons && !h.mounts.is_empty() && h.kind != HolderKind::Device)
    {
        let Some(key) = holder.namespace else { continue };
        let all_follow = holder.mounts.iter().all(|m| follows(key, m) == Some(true));
        if all_follow && holder.effect == Effect::Blocking && holder.open_files.is_empty() {
            holder.effect = Effect::Holding;
            holder.effect_reason =
                "It receives umounts from the runtime's namespace, where the mount still is: it goes when that one goes.".to_owned();
        }
    }
}
