//! What keeps a umount from working (`propagate_mount_busy` in fs/pnode.c): another mount inside, or a reference to the
//! mount itself or to a copy of it that the umount would take along. Files on another mount of the same file system do
//! not, and a copy with a mount inside stays and is not asked.

use std::collections::BTreeSet;

use super::Found;
use crate::bytes::visible;
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::report::{Effect, HolderKind, MountView};
use crate::resolve::Target;
use crate::snapshot::{MountId, NamespaceKey, Process, Snapshot};

/// Mounts that must not be in use, and the namespaces that they are in.
#[derive(Default)]
struct Busy {
    mounts: BTreeSet<MountId>,
    namespaces: BTreeSet<NamespaceKey>,
}

impl Busy {
    fn add(&mut self, namespace: NamespaceKey, mount: MountId) {
        self.mounts.insert(mount);
        self.namespaces.insert(namespace);
    }
}

/// Judges by the mounts that must not be in use; of each it must be known by now whether it follows (see
/// [`super::following`]). `own` are those that are to be unmounted, in the caller's namespace.
pub(super) fn judge(
    snapshot: &Snapshot,
    target: &Target,
    found: &mut [Found],
    own_key: NamespaceKey,
    own: &[MountView],
) {
    let mut busy = Busy::default();
    for holder in found.iter().filter(|h| h.kind != HolderKind::Device) {
        let Some(key) = holder.namespace else { continue };
        for mount in holder.mounts.iter().filter(|m| m.follows == Some(true)) {
            let id = MountId(mount.id);
            // A mount over the whole copy takes its place, and does not save it from being asked (`find_topper`).
            let covers = |child: &Mount<'_>| visible(&child.mount_point()) == mount.mount_point;
            if snapshot.children_of(key, id).iter().all(covers) {
                busy.add(key, id);
            }
        }
    }
    own.iter().for_each(|m| busy.add(own_key, MountId(m.id)));
    let inside = own.iter().flat_map(|m| snapshot.children_of(own_key, MountId(m.id)));
    let inside = inside.map(|m| visible(&m.mount_point())).min();
    for holder in found.iter_mut().filter(|h| h.kind != HolderKind::Device && h.has_object) {
        let with_files: BTreeSet<u32> = order::set(holder.open_files.iter().map(|file| file.pid));
        let is_used = holder.pids.iter().any(|pid| {
            let namespace = snapshot.namespace_of(*pid).map(|n| n.key);
            let by_path = || with_files.contains(&pid.0);
            snapshot.processes.get(pid).is_some_and(|p| uses(target, &busy, namespace, p, &by_path))
        });
        let is_open_file = holder.kind == HolderKind::OpenFile;
        if is_open_file && !is_used {
            holder.effect = Effect::Holding;
            holder.effect_reason =
                "What is open is on another mount of the same file system: that keeps its space, but not this mount."
                    .to_owned();
        } else if !is_open_file && !holder.is_daemons && is_used {
            holder.effect = Effect::Blocking;
            holder.effect_reason =
                "The umount would take its copy along, and that is in use: the kernel refuses both."
                    .to_owned();
        }
        if let Some(inside) = inside.as_ref().filter(|_| !is_open_file && holder.is_daemons) {
            holder.effect = Effect::Blocking;
            holder.effect_reason =
                format!("Another file system is mounted inside, at {inside}, and has to go first.");
        }
    }
}

/// Whether a process refers to one of the busy mounts. Where it is not told on which mount a file is (a mapping), it is
/// taken for one of its namespace's.
fn uses(
    target: &Target,
    busy: &Busy,
    namespace: Option<NamespaceKey>,
    process: &Process,
    by_path: &dyn Fn() -> bool,
) -> bool {
    let in_its_own = || namespace.is_some_and(|key| busy.namespaces.contains(&key));
    if process.links.is_empty() {
        return by_path() && in_its_own();
    }
    process.links.iter().any(|link| match link.mount {
        Some(id) => busy.mounts.contains(&id),
        None => link.device.is_some_and(|d| target.devices.contains(&d)) && in_its_own(),
    })
}
