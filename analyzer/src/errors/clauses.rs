//! The table of clauses: what runtimes and tools write around the name of a busy object.
//!
//! A clause is literal text with operands in braces, matched anywhere in a message, without regard to
//! case; an operand may be quoted or not. To add a wording, add a row with a line that shows it.
//! What no clause knows is still found by [`super::roles`], by the kind of the token.

/// What an operand is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Container: id or name.
    Container,
    /// Container, named by an id only.
    ContainerId,
    /// Device-mapper device that docker before 1.10 named after the container.
    ContainerDevice,
    /// Pod, layer or another id that is not the container's.
    OtherId,
    /// Block device, or the id that a storage driver names it by.
    Device,
    /// Dataset or pool.
    Dataset,
    /// Busy path.
    Path,
    /// An operand that says nothing of the target.
    Skip,
}

/// What was tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Remove,
    Rename,
    Unmount,
    Mount,
    Device,
    Dataset,
    /// Says nothing of the operation.
    None,
}

/// One clause.
pub(crate) struct Clause {
    pub(crate) template: &'static str,
    pub(crate) operation: Operation,
    /// A line that has it.
    #[cfg(test)]
    pub(crate) sample: &'static str,
}

/// The sample is for the tests, which match each clause against it; no program carries it.
const fn c(template: &'static str, operation: Operation, _sample: &'static str) -> Clause {
    Clause {
        template,
        operation,
        #[cfg(test)]
        sample: _sample,
    }
}

use Operation::{Dataset, Device, Mount, None as NoOp, Remove, Rename, Unmount};

/// Every clause; of two that name a container the earlier row counts.
pub(crate) const CLAUSES: &[Clause] = &[
    // docker and podman: the container's root file system.
    c(
        "failed to remove root filesystem for {id}",
        Remove,
        "driver \"x\" failed to remove root filesystem for 0a1b2c3d4e5f: y",
    ),
    c(
        "failed to remove root filesystem of {id}",
        Remove,
        "failed to remove root filesystem of 0a1b2c3d4e5f: y",
    ),
    c(
        "failed to remove root filesystem {id}",
        Remove,
        "Driver aufs failed to remove root filesystem 0a1b2c3d4e5f: y",
    ),
    c(
        "failed to remove init filesystem {id}",
        Remove,
        "Driver aufs failed to remove init filesystem 0a1b2c3d4e5f: y",
    ),
    c("unable to remove filesystem for {id}", Remove, "Unable to remove filesystem for 0a1b2c3d4e5f: y"),
    c(
        "removing container {container} root filesystem",
        Remove,
        "error removing container 0a1b2c3d4e5f root filesystem: y",
    ),
    c(
        "removing storage for container {container}",
        Remove,
        "removing storage for container \"0a1b2c3d4e5f\": y",
    ),
    // docker before 1.10 names a layer here, later ones the container: the line alone does not tell which.
    // `links.rs` keeps the pair, and `LogScanner::finish` takes it where another line names the container.
    c("error removing mounted layer {other}", Remove, "Error removing mounted layer 0a1b2c3d4e5f: y"),
    c(
        "error getting container {id} from driver",
        Mount,
        "Error getting container 0a1b2c3d4e5f from driver devicemapper: y",
    ),
    c("containerid:{id}", NoOp, "&TaskExit{ContainerID:0a1b2c3d4e5f,ID:x,}"),
    c("containerid={id}", NoOp, "level=error containerID=0a1b2c3d4e5f"),
    c("containerid: {id}", NoOp, "ContainerID: 0a1b2c3d4e5f"),
    c("container_id={id}", NoOp, "container_id=\"0a1b2c3d4e5f\""),
    c("container_id: {id}", NoOp, "container_id: 0a1b2c3d4e5f"),
    c("{id} cleanup:", Unmount, "0a1b2c3d4e5f cleanup: failed to unmount secrets: y"),
    c("container id {id}", NoOp, "container id \"0a1b2c3d4e5f\""),
    c("container={id}", NoOp, "level=error container=0a1b2c3d4e5f"),
    c("containerd://{id}", NoOp, "containerd://0a1b2c3d4e5f"),
    c("docker://{id}", NoOp, "docker://0a1b2c3d4e5f"),
    c("cri-o://{id}", NoOp, "cri-o://0a1b2c3d4e5f"),
    c("cannot destroy container {container}:", Remove, "Cannot destroy container web: y"),
    c("cannot start container {container}:", Mount, "Cannot start container web: y"),
    c("cannot restart container {container}:", Mount, "Cannot restart container web: y"),
    c("cannot stop container {container}:", NoOp, "Cannot stop container web: y"),
    c("cannot stop container: {container}:", NoOp, "Cannot stop container: web: y"),
    c("cannot kill container {container}:", NoOp, "Cannot kill container web: y"),
    c("cannot kill container: {container}:", NoOp, "Cannot kill container: web: y"),
    c("cannot restart container: {container}:", NoOp, "Cannot restart container: web: y"),
    c("cannot remove container \"{container}\":", Remove, "cannot remove container \"/web\": y"),
    c("cannot remove container {container}:", Remove, "cannot remove container web: y"),
    c("could not remove container {container}:", Remove, "could not remove container web: y"),
    c("error removing container {container}:", Remove, "error removing container web: y"),
    c("failed to delete container {id}", Remove, "failed to delete container \"0a1b2c3d4e5f\""),
    c("failed to remove container {id}", Remove, "failed to remove container \"0a1b2c3d4e5f\""),
    c("pod sandbox container {id}", NoOp, "failed to remove pod sandbox container 0a1b2c3d4e5f"),
    c("pod sandbox {id}", NoOp, "failed to stop pod sandbox 0a1b2c3d4e5f"),
    c("sandbox container {id}", NoOp, "failed to stop sandbox container \"0a1b2c3d4e5f\""),
    c("podsandbox {id}", NoOp, "StopPodSandbox for PodSandbox \"0a1b2c3d4e5f\""),
    c("sandbox {id}", NoOp, "sandbox 0a1b2c3d4e5f"),
    c("container {id}", NoOp, "cannot mount container 0a1b2c3d4e5f"),
    c("ctr {id}", NoOp, "ctr 0a1b2c3d4e5f"),
    c("-job rm({id})", Remove, "-job rm(0a1b2c3d4e5f) = ERR (1)"),
    c("-job {*}({id})", NoOp, "-job stop(0a1b2c3d4e5f) = ERR (1)"),
    c("error removing pod {other}", Remove, "error removing pod 0a1b2c3d4e5f conmon cgroup"),
    c("removing pod {other} cgroup", Remove, "removing pod 0a1b2c3d4e5f cgroup"),
    c("pod uid={other}", NoOp, "pod UID=8f0c1ad2-0000-4c4b-a953-dc01e182ac76"),
    c("(uid: {other})", NoOp, "pod \"web\" (UID: \"8f0c1ad2-0000-4c4b-a953-dc01e182ac76\")"),
    c("poduid={other}", NoOp, "podUID=8f0c1ad2-0000-4c4b-a953-dc01e182ac76"),
    c("orphaned pod {other}", NoOp, "Orphaned pod \"8f0c1ad2-0000-4c4b-a953-dc01e182ac76\""),
    c("pod {other}", NoOp, "pod \"8f0c1ad2-0000-4c4b-a953-dc01e182ac76\" ("),
    c("layer {other}", NoOp, "unmounting layer 0a1b2c3d4e5f: y"),
    c("snapshot {other}", NoOp, "failed to remove snapshot 0a1b2c3d4e5f: y"),
    // Block devices.
    c("waiting for device {condev} to close", Device, "error waiting for device 0a1b2c3d4e5f to close"),
    c("error unmounting device {condev}", Device, "Warning: error unmounting device 0a1b2c3d4e5f: y"),
    c("failed to remove device {device}", Device, "failed to remove device 0a1b2c3d4e5f: y"),
    c("error removing device {device}", Device, "Error removing device 0a1b2c3d4e5f: y"),
    c("error deactivating device {device}", Device, "Error deactivating device 0a1b2c3d4e5f: y"),
    c("deactivate device {device}", Device, "failed to deactivate device 0a1b2c3d4e5f: y"),
    c("ioctl on {device} failed", Device, "device-mapper: remove ioctl on vg0-web failed: y"),
    c("ioctl on {device} {*} failed", Device, "device-mapper: create ioctl on vg0-web LVM-abc failed: y"),
    c("ioctl on {device} ({*}) failed", Device, "device-mapper: remove ioctl on vg0-web (253:4) failed: y"),
    c("logical volume {device} contains", Device, "Logical volume vg0/web contains a filesystem in use."),
    c("logical volume {device} in use", Device, "Logical volume vg0/web in use."),
    c("logical volume {device} is used", Device, "Logical volume vg0/web is used by another device."),
    c("logical volume {device} is in use", Device, "Logical volume vg0/web is in use."),
    c(
        "volume group {device} with",
        Device,
        "Can't deactivate volume group \"vg0\" with 1 open logical volume(s)",
    ),
    c("open logical volume {device}", Device, "Can't remove open logical volume \"web\""),
    c("{device}: map in use", Device, "mpatha: map in use"),
    c("deactivate open {device} (", Device, "Unable to deactivate open vg0-web (253:4)"),
    c("device {device} is still in use", Device, "Device luks-web is still in use."),
    c("device {device} is in use", Device, "Device /dev/sdb1 is in use"),
    c("device {device} is busy", Device, "Device luks-web is busy."),
    c("device {device} ({*}) is used", Device, "Device vg0-web (253:4) is used by another device."),
    c("exclusive access to {device}:", Device, "mdadm: Cannot get exclusive access to /dev/md0:Perhaps"),
    c("failed to stop array {device}:", Device, "mdadm: failed to stop array /dev/md0: y"),
    c("losetup: {path}: failed to set up", Device, "losetup: disk.img: failed to set up loop device: y"),
    c("losetup: {device}:", Device, "losetup: /dev/loop3: detach failed: y"),
    c("detach loop device {device}:", Device, "failed to detach loop device /dev/loop3: y"),
    c("{device} is apparently in use", Device, "/dev/sdb1 is apparently in use by the system"),
    c("rbd unmap {device}", Device, "rbd unmap rbd/web: y"),
    c("rbd: image {device}", Device, "rbd: image web is busy"),
    c("rbd image {device}", Device, "rbd image rbd/web is busy"),
    c("unmap for spec ({device})", Device, "rbd: unmap for spec (rbd/web) failed (exit status 16): y"),
    c("from staging path ({path})", Device, "error unmapping volume (web) from staging path (/srv/x): y"),
    c("unmap {device} ", Device, "rbd args: [unmap rbd/web --device-type krbd]"),
    // Datasets and subvolumes.
    c("cannot destroy {dataset}:", Dataset, "cannot destroy 'tank/web': dataset is busy"),
    c("cannot export {dataset}:", Dataset, "cannot export 'tank': pool is busy"),
    c("cannot rename {dataset}:", Dataset, "cannot rename 'tank/web': dataset is busy"),
    c("cannot mount {dataset}:", Dataset, "cannot mount 'tank/web': mountpoint or dataset is busy"),
    c("cannot rollback {dataset}:", Dataset, "cannot rollback 'tank/web': dataset is busy"),
    c("cannot promote {dataset}:", Dataset, "cannot promote 'tank/web': dataset is busy"),
    c("cannot receive {dataset}:", Dataset, "cannot receive 'tank/web': dataset is busy"),
    c(
        "zfs mount of {dataset} to {path}",
        Mount,
        "error creating zfs mount of tank/web to /var/lib/docker/zfs/graph/x: y",
    ),
    c(
        "btrfs snapshot {path} for {*}",
        Dataset,
        "Failed to destroy btrfs snapshot /var/lib/docker/btrfs/subvolumes for x: y",
    ),
    c("btrfs snapshot {path}:", Dataset, "Failed to destroy btrfs snapshot /srv/subvolumes/x: y"),
    c("cannot delete {path}:", Dataset, "ERROR: cannot delete '/srv/subvolumes/x': y"),
    // Mounts.
    c(
        "error mounting {device} on {path}:",
        Mount,
        "Error mounting '/dev/mapper/docker-8:1-2-x' on '/srv/mnt/x': y",
    ),
    c("mounting {device} on {path} failed", Mount, "mount: mounting /dev/sdb1 on /mnt failed: y"),
    c("mounting {*} to rootfs at {path}:", Mount, "error mounting \"/a\" to rootfs at \"/etc/hosts\": y"),
    c("{device} already mounted or {path} busy", Mount, "mount: /dev/sdb1 already mounted or /mnt busy"),
    c(
        "mount: {path}: {device} already mounted",
        Mount,
        "mount: /mnt: /dev/sdb1 already mounted or mount point busy.",
    ),
    c(
        "{device} is already mounted or {path} busy",
        Mount,
        "mount: /dev/sdb1 is already mounted or /mnt busy",
    ),
    c("overlay mount to {path}:", Mount, "error creating overlay mount to /srv/overlay2/x/merged: y"),
    c("aufs mount to {path}:", Mount, "error creating aufs mount to /srv/aufs/mnt/x: y"),
    c("mount overlay:{path},", Mount, "mount overlay:/srv/overlay2/x/merged, data: lowerdir=/a: y"),
    c("mount callback failed on {path}:", Mount, "mount callback failed on /srv/tmpmounts/x: y"),
    c("failed to mount {path}:", Mount, "failed to mount /srv/x: y"),
    c("mount {*}:{path} (via", Mount, "mount /srv/a:/data (via /proc/self/fd/6), flags: 0x5000: y"),
    c("(no-commit): {path}", Dataset, "Delete subvolume (no-commit): '/srv/a' ERROR: y"),
    c("(commit): {path}", Dataset, "Delete subvolume (commit): '/srv/a' ERROR: y"),
    c("unmount {other} overlay:", Unmount, "Failed to unmount 0a1b2c3d4e5f-init overlay: y"),
    c("mount {path}, flags", Mount, "mount /srv/x, flags: 0x1000: y"),
    c("replacing mount point {path}:", Remove, "replacing mount point \"/srv/overlay/x/merged\": y"),
    c("removing mount point {path}:", Remove, "removing mount point \"/srv/overlay/x/merged\": y"),
    c("mount.nfs: {path} is busy", Mount, "mount.nfs: /mnt/share is busy or already mounted"),
    c("mount.nfs: {device} is busy", Mount, "mount.nfs: nfs1:/export is busy or already mounted"),
    c("couldn't umount {path}:", Unmount, "couldn't umount /srv/x: y"),
    c("cannot unmount {path}:", Unmount, "cannot unmount '/tank/web': pool or dataset is busy"),
    c("umount: {path}: target", Unmount, "umount: /srv/data: target is busy."),
    c("umount: {path}: device", Unmount, "umount: /share: device is busy."),
    c("umount: can't unmount {path}:", Unmount, "umount: can't unmount /share: y"),
    c("umount: can't umount {path}:", Unmount, "umount: can't umount /share: y"),
    c(
        "failed rootfs umount: failed to unmount target {path}:",
        Unmount,
        "failed rootfs umount: failed to unmount target /run/x: y",
    ),
    c("unmount target {path}:", Unmount, "failed to unmount target /run/x: y"),
    c("umount2({path},", Unmount, "umount2(\"/srv/a\", MNT_DETACH) = -1 EBUSY"),
    c("unmounting {path}:", Unmount, "error unmounting /srv/a: y"),
    c("failed unmounting {path}.", Unmount, "systemd[1]: Failed unmounting /srv/a."),
    c("umount {path}, flags", Unmount, "umount /srv/a, flags: 0x2: y"),
    c("umount {path}:", Unmount, "failed to umount /srv/a: y"),
    c("unmount {path}:", Unmount, "failed to unmount /srv/a: y"),
    c("umount {path} failed", Unmount, "umount /srv/a failed: errno=16"),
    // Directories and files.
    c("rename {path} {*}:", Rename, "rename /srv/aufs/mnt/x /srv/aufs/mnt/x-removing: y"),
    c("renaming {path} to {*}:", Rename, "renaming /srv/a to /srv/b: y"),
    c("cannot move {path} to {*}:", Rename, "mv: cannot move '/srv/a' to '/srv/b': y"),
    c("can't rename {path}:", Rename, "mv: can't rename '/srv/a': y"),
    c("unlinkat {path}:", Remove, "unlinkat /srv/a: y"),
    c("openfdat {path}:", Remove, "openfdat /srv/a: y"),
    c("rmdir: failed to remove {path}:", Remove, "rmdir: failed to remove '/srv/a': y"),
    c("rmdir {path}:", Remove, "rmdir /srv/a: y"),
    c("rmdir: {path}:", Remove, "rmdir: /srv/a: y"),
    c("rmdir {path}", Remove, "EBUSY: resource busy or locked, rmdir '/app/dist'"),
    c("unlink {path}:", Remove, "unlink /srv/a: y"),
    c("unlink {path}", Remove, "EBUSY: resource busy or locked, unlink '/srv/a'"),
    c("remove {path}:", Remove, "remove /srv/a: y"),
    c("rm: cannot remove {path}:", Remove, "rm: cannot remove '/srv/a': y"),
    c("rm: cannot remove directory {path}:", Remove, "rm: cannot remove directory '/srv/a': y"),
    c("rm: can't remove {path}:", Remove, "rm: can't remove '/srv/a': y"),
    c("failed to delete {path}:", Remove, "failed to delete /srv/a: y"),
    c("failed to remove {path}:", Remove, "failed to remove /srv/a: y"),
    c("namespace file {path}:", Remove, "Cannot remove namespace file \"/run/netns/a\": y"),
    c("remove ns path {path}:", Remove, "failed to remove ns path /run/netns/a: y"),
    c("device or resource busy: {path}", Remove, "[Errno 16] Device or resource busy: '/srv/a'"),
    c(
        "failed to remove cgroup {path}",
        Remove,
        "Device or resource busy - failed to remove cgroup '/sys/fs/cgroup/cpu/lxc/web'",
    ),
    c(
        "cgroup_rmdir: failed to delete {path}",
        Remove,
        "Device or resource busy - cgroup_rmdir: failed to delete /sys/fs/cgroup/a",
    ),
    c("failed to destroy {path}", Remove, "Device or resource busy - Failed to destroy \"/sys/fs/cgroup/a\""),
    c("write {path}:", NoOp, "write /sys/fs/cgroup/a/memory.max: y"),
];
