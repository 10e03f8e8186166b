//! What a holder does to the operation: the table "what is busy × kernel".

use super::Found;
use crate::report::{BusyKind, Effect, HolderKind};
use crate::resolve::Target;
use crate::snapshot::{Pid, Snapshot};

const ELSEWHERE: &str = "It has the same file system mounted elsewhere, not on the busy directory: that keeps space, but does not block its removal.";

/// Sets effect and reason of one holder.
pub(super) fn judge(snapshot: &Snapshot, target: &Target, holder: &mut Found) {
    let (effect, reason) = effect_of(snapshot, target, holder);
    holder.effect = effect;
    holder.effect_reason = reason;
}

fn effect_of(snapshot: &Snapshot, target: &Target, holder: &Found) -> (Effect, String) {
    use BusyKind::*;
    use Effect::*;
    let says = |effect, reason: &str| (effect, reason.to_owned());
    if !holder.has_object {
        return says(
            Holding,
            "It has another mount of the same container, not the one that is busy: that keeps space, but does not block this operation.",
        );
    }
    let busy = busy_there(target, holder);
    if busy == Cgroup {
        return says(Blocking, "A cgroup cannot be removed while processes are in it.");
    }
    if holder.is_target && holder.kind == HolderKind::Container {
        return says(Blocking, "The container's own processes are still there and use its file system.");
    }
    match holder.kind {
        HolderKind::OpenFile => return open_file_effect(busy, holder),
        HolderKind::Device if busy == Umount && holder.on_directory == Some(false) => {
            return says(
                Holding,
                "Its file was opened through another mount of the same file system: that keeps its space, but not this mount.",
            );
        }
        HolderKind::Device => {
            return says(Blocking, "A device that is stacked on it or swap on it keeps it open.");
        }
        HolderKind::Pinned if holder.mounts.is_empty() => {
            return says(
                Blocking,
                "The kernel counts an opener of the device, nothing else in the bundle explains it, and this mount namespace is the one that could not be read.",
            );
        }
        _ => {}
    }
    let is_running = target_is_running(snapshot, target);
    if holder.is_daemons || (holder.kind == HolderKind::Host && snapshot.daemon().is_none()) {
        return match busy {
            _ if is_running && target.error.is_none() => says(
                Holding,
                "The container is running: this is the runtime's own mount, which it unmounts when the container stops.",
            ),
            Umount => says(
                Holding,
                "This is the mount that is to be unmounted; what is open on it blocks the umount.",
            ),
            Device | Dataset => says(Blocking, "It is still mounted in the daemon's own mount namespace."),
            OverlayMount => {
                says(Blocking, "An overlay with the same upper or work directory is mounted already.")
            }
            File => says(
                Blocking,
                "The file is a mount point: it can be written in place, not replaced or removed.",
            ),
            Directory | NamespaceFile | Unknown if holder.on_directory == Some(false) => {
                says(Holding, ELSEWHERE)
            }
            Directory | NamespaceFile | Cgroup | Unknown => says(
                Blocking,
                "It is a mount point in the namespace of the caller: the kernel never removes that.",
            ),
        };
    }
    if holder.on_directory == Some(false) && matches!(busy, Directory | NamespaceFile | File | Unknown) {
        return says(Holding, ELSEWHERE);
    }
    foreign_mount(snapshot, busy, target.error.is_some())
}

/// What a mount in another namespace than the caller's does to the removal of what is busy. `has_failed` where a log
/// shows that it was tried.
pub(crate) fn foreign_mount(snapshot: &Snapshot, busy: BusyKind, has_failed: bool) -> (Effect, String) {
    use BusyKind::*;
    use Effect::*;
    let says = |effect, reason: &str| (effect, reason.to_owned());
    match busy {
        Device => says(Blocking, "A mount in any namespace keeps a block device open, on every kernel."),
        Dataset => says(Blocking, "A mount in any namespace keeps a dataset busy, on every kernel."),
        OverlayMount => {
            says(Blocking, "An overlay in any namespace keeps its upper and work directory in use.")
        }
        Umount => says(Holding, "A mount in another namespace does not keep this one from being unmounted."),
        Cgroup => says(Unrelated, "A mount does not keep a cgroup."),
        Directory | NamespaceFile | File | Unknown => foreign_directory_effect(snapshot, has_failed),
    }
}

/// `rmdir`, `unlink` and `rename` of a path that is a mount point in another namespace.
fn foreign_directory_effect(snapshot: &Snapshot, has_failed: bool) -> (Effect, String) {
    let kernel = snapshot.facts.kernel.as_deref().unwrap_or("unknown");
    match snapshot.facts.drops_foreign_mounts() {
        Some(false) => {
            let el7 = snapshot.facts.kernel_version().is_some_and(|v| v.el7);
            let why = match (el7, snapshot.facts.may_detach_mounts) {
                (true, Some(false)) => "fs.may_detach_mounts is 0",
                (true, _) => "it has no fs.may_detach_mounts",
                (false, _) => "it is older than 3.18",
            };
            let reason = format!(
                "Kernel {kernel} does not remove a directory that is a mount point in any namespace: {why}."
            );
            (Effect::Blocking, reason)
        }
        Some(true) => (
            Effect::Holding,
            format!(
                "Kernel {kernel} drops another namespace's mount together with the directory, so this does not block the removal; until then it keeps the space."
            ),
        ),
        None if has_failed => (
            Effect::Blocking,
            "The bundle does not tell the kernel; the log shows that the removal failed, and kernels before 3.18 fail for exactly such a mount.".to_owned(),
        ),
        None => (
            Effect::Holding,
            "The bundle does not tell the kernel: before 3.18 this mount blocks the removal of the directory, later it does not.".to_owned(),
        ),
    }
}

/// What the holder refers to. A container on a block device has other file systems, too (`/dev/shm`): on these the
/// rules of directories hold.
pub(super) fn busy_there(target: &Target, holder: &Found) -> BusyKind {
    let is_other = !holder.on_block_device && holder.kind != HolderKind::Device;
    match target.busy {
        BusyKind::Device if is_other && target.error.is_none() => BusyKind::Directory,
        busy => busy,
    }
}

fn open_file_effect(busy: BusyKind, holder: &Found) -> (Effect, String) {
    match busy {
        BusyKind::Directory | BusyKind::NamespaceFile | BusyKind::File | BusyKind::Unknown => (
            Effect::Holding,
            "Open files do not keep a directory from being removed; they keep the space of deleted files."
                .to_owned(),
        ),
        BusyKind::Umount => (
            Effect::Blocking,
            "A file system with open files, working directories or mappings cannot be unmounted.".to_owned(),
        ),
        BusyKind::Cgroup => (Effect::Unrelated, "Open files do not keep a cgroup.".to_owned()),
        BusyKind::Device | BusyKind::Dataset | BusyKind::OverlayMount => {
            let node = holder.open_files.iter().any(|f| f.evidence.text.contains("/dev/"));
            let reason = if node {
                "An open descriptor on the device node keeps the device open."
            } else {
                "Files that are open on it keep the file system alive, even after a lazy umount, and so the device stays open."
            };
            (Effect::Blocking, reason.to_owned())
        }
    }
}

/// Where the mount is still there in the daemon's namespace, what is open on it keeps the umount from working.
pub(super) fn judge_references(target: &Target, found: &mut [Found], own_mount_blocks: bool) {
    if !own_mount_blocks {
        return;
    }
    let directory = |h: &Found| matches!(busy_there(target, h), BusyKind::Directory | BusyKind::Unknown);
    let in_daemons =
        |h: &&mut Found| h.kind == HolderKind::OpenFile && h.is_daemons && h.keeps_mounted && directory(h);
    for holder in found.iter_mut().filter(in_daemons) {
        holder.effect = Effect::Blocking;
        holder.effect_reason =
            "What is open on it keeps the mount in the daemon's namespace from being unmounted.".to_owned();
    }
}

/// Whether the target container has live processes or the runtime says so.
pub(crate) fn target_is_running(snapshot: &Snapshot, target: &Target) -> bool {
    let Some(container) = target.container.as_ref().and_then(|id| snapshot.containers.get(id)) else {
        return false;
    };
    // In the host's own namespace no container is: a process there was only put into its cgroup. And the runtime may not
    // have noticed its end, and the pid may be somebody else's now.
    let is_its_own = |pid: Pid| {
        let host = snapshot.host_namespace().map(|n| n.key);
        snapshot.processes.get(&pid).is_some_and(|process| {
            let others =
                process.membership.container.as_ref().is_some_and(|id| Some(id) != target.container.as_ref());
            let namespace = snapshot.namespace_of(pid).map(|n| n.key);
            process.is_alive() && !others && (namespace.is_none() || namespace != host)
        })
    };
    container.pids.iter().any(|pid| is_its_own(*pid))
        || (container.record.state.as_deref() == Some("running")
            && container.record.pid.is_some_and(|pid| is_its_own(Pid(pid))))
}
