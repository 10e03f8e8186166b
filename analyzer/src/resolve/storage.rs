//! Layer → device, dataset, path, namespace: where the target's files are on this host.

use super::{Target, identity};
use crate::bytes::{components, contains_path, ends_with_path, same_path, visible};
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::parse::{cgroup, device_number, namespace_link};
use crate::report::{AliasKind, BusyError, BusyKind, Diagnostic, Evidence};
use crate::snapshot::{DeviceNumber, NamespaceInode, Placed, Snapshot};

/// A path that an error names. Some wordings name the driver's directory and the id apart.
pub(super) fn add_busy_path(target: &mut Target, error: &BusyError, path: &str, evidence: Option<Evidence>) {
    let mut path = path.as_bytes().to_vec();
    // "Failed to destroy btrfs snapshot DIR for ID" (moby daemon/graphdriver/btrfs).
    if error.driver.as_deref() == Some("btrfs")
        && let Some(id) = &error.container_id
        && !contains_path(&path, id.as_bytes())
    {
        path.push(b'/');
        path.extend_from_slice(id.as_bytes());
    }
    target.alias(visible(&path), AliasKind::Path, evidence);
    for id in components(&path).filter_map(long_id) {
        target.ids.insert(id);
    }
    target.paths.insert(path);
}

/// A full id: the component itself, `ID-init`, `ID-removing`, or a cgroup's `docker-ID.scope`.
fn long_id(component: &[u8]) -> Option<String> {
    if let Some(id) = cgroup::container_id(component) {
        return Some(id);
    }
    let bare = component.strip_suffix(b"-init").or(component.strip_suffix(b"-removing")).unwrap_or(component);
    let bare = std::str::from_utf8(bare).ok()?;
    (bare.len() == 64 && identity::is_hex(bare)).then(|| bare.to_owned())
}

/// A device by any of its names: `/dev/dm-1`, `/dev/mapper/NAME`, a device-mapper name, a layer id, a dataset.
pub(super) fn add_device_name(
    snapshot: &Snapshot,
    target: &mut Target,
    name: &[u8],
    evidence: Option<Evidence>,
) -> bool {
    if let Some((number, known)) = device_by_name(snapshot, name) {
        if let Some(id) = name.rsplit(|&b| b == b'-').next().and_then(long_id) {
            identity::add_id(target, &id, AliasKind::LayerId, known.clone());
        }
        add_device(target, number, evidence.clone());
        target.alias(visible(name), AliasKind::Device, evidence.or(known));
        return true;
    }
    let text = visible(name);
    if identity::is_hex(&text) && text.len() >= 12 {
        identity::add_id(target, &text, AliasKind::LayerId, evidence);
    } else if target.busy == BusyKind::Dataset {
        target.alias(text.clone(), AliasKind::Dataset, evidence);
        if let Some(id) = components(name).next_back().and_then(long_id) {
            target.ids.insert(id);
        }
        target.datasets.insert(name.to_vec());
    } else {
        // docker-MAJOR:MINOR-INODE-LAYER (moby devicemapper "Generated prefix").
        if let Some(id) = name.rsplit(|&b| b == b'-').next().and_then(long_id) {
            identity::add_id(target, &id, AliasKind::LayerId, evidence.clone());
        }
        target.alias(text, AliasKind::Device, evidence);
    }
    false
}

fn device_by_name(snapshot: &Snapshot, name: &[u8]) -> Option<(DeviceNumber, Option<Evidence>)> {
    let bare = name.strip_prefix(b"/dev/mapper/").or(name.strip_prefix(b"/dev/")).unwrap_or(name);
    let logical = name_of_logical_volume(bare);
    let mapped = logical.as_deref().unwrap_or(bare);
    let by_sys = snapshot
        .devices
        .iter()
        .find(|(kernel_name, d)| *kernel_name == bare || d.dm_name.as_deref() == Some(mapped));
    if let Some((_, device)) = by_sys
        && let Some(number) = device.number
    {
        return Some((number, device.evidence.clone()));
    }
    if let Some((number, evidence)) = snapshot.dm_names.get(mapped) {
        return Some((*number, Some(evidence.clone())));
    }
    // A mount whose source is that device tells its number, too.
    let of_it = |m: &Mount<'_>| m.source().as_ref() == name && !m.device.is_anonymous();
    let first = snapshot.mounts_where(&of_it).into_iter().next()?;
    Some((first.mount.device, Some(first.evidence())))
}

/// `VG/LV` as device-mapper calls it: hyphens are doubled, and one joins the two (lvm(8), "Valid names").
fn name_of_logical_volume(name: &[u8]) -> Option<Vec<u8>> {
    let slash = memchr::memchr(b'/', name).filter(|at| *at > 0)?;
    let (group, volume) = (&name[..slash], &name[slash + 1..]);
    let double = |part: &[u8]| {
        part.iter().flat_map(|&b| if b == b'-' { vec![b, b] } else { vec![b] }).collect::<Vec<u8>>()
    };
    (!volume.is_empty() && !volume.contains(&b'/')).then(|| [double(group), double(volume)].join(&b'-'))
}

pub(super) fn add_device(target: &mut Target, number: DeviceNumber, evidence: Option<Evidence>) {
    target.devices.insert(number);
    target.alias(number.to_string(), AliasKind::DeviceNumber, evidence);
}

/// Takes a text that is no container as a path, a device, a namespace or a dataset.
pub(super) fn add_named_object(snapshot: &Snapshot, target: &mut Target, text: &str) -> bool {
    let bytes = text.as_bytes();
    if let Some((kind, inode)) = namespace_link::parse(bytes) {
        target.busy = BusyKind::NamespaceFile;
        target.namespaces.insert((kind.to_vec(), inode));
        target.alias(text.to_owned(), AliasKind::Namespace, None);
        return snapshot.pins.iter().any(|p| p.kind == kind && p.inode == inode);
    }
    if let Ok((b"", number)) = device_number(bytes) {
        target.busy = BusyKind::Device;
        if let Some(path) = snapshot.device_path(number) {
            add_device_name(snapshot, target, &path, None);
        }
        add_device(target, number, None);
        let is_here = snapshot.device_path(number).is_some() || is_mounted(snapshot, &|m| m.device == number);
        return is_here || is_gone(snapshot, target, number);
    }
    if text.starts_with("/dev/") || device_by_name(snapshot, bytes).is_some() {
        target.busy = BusyKind::Device;
        return add_device_name(snapshot, target, bytes, None);
    }
    if text.starts_with('/') {
        target.busy = match text {
            // Runtimes bind these files into each container.
            "/etc/resolv.conf" | "/etc/hosts" | "/etc/hostname" => BusyKind::File,
            _ if text.starts_with("/sys/fs/cgroup") => BusyKind::Cgroup,
            _ => BusyKind::Directory,
        };
        for id in components(bytes).filter_map(long_id) {
            target.ids.insert(id);
        }
        target.alias(visible(bytes), AliasKind::Path, None);
        target.paths.insert(bytes.to_vec());
        let is_here = |m: &Mount<'_>| {
            let point = m.mount_point();
            same_path(&point, bytes) || (components(bytes).count() >= 3 && ends_with_path(&point, bytes))
        };
        return is_mounted(snapshot, &is_here)
            || target
                .ids
                .iter()
                .any(|id| snapshot.containers.iter().any(|(k, c)| k == id || c.layers.contains_key(id)))
            || snapshot
                .errors
                .iter()
                .flat_map(|e| e.all())
                .any(|e| e.path.as_ref().is_some_and(|p| same_path(p.as_bytes(), bytes)))
            || snapshot
                .processes
                .values()
                .any(|p| p.link_texts.values().any(|l| crate::bytes::is_at_or_below(l, bytes)));
    }
    let dataset = |m: &Mount<'_>| m.fs_type == b"zfs" && same_path(&m.source(), bytes);
    let listed = snapshot.datasets.get(bytes);
    if listed.is_some() || (text.contains('/') && is_mounted(snapshot, &dataset)) {
        if let Some((point, evidence)) = listed {
            target.alias(visible(point), AliasKind::Path, Some(evidence.clone()));
        }
        target.busy = BusyKind::Dataset;
        target.alias(visible(bytes), AliasKind::Dataset, None);
        target.datasets.insert(bytes.to_vec());
        return true;
    }
    false
}

/// Where others of the same driver are listed, a device that is not among them does not exist: that is an answer.
fn is_gone(snapshot: &Snapshot, target: &mut Target, number: DeviceNumber) -> bool {
    let others = snapshot.devices.values().filter_map(|d| d.number);
    let is_gone = number.major != 0 && others.filter(|d| d.major == number.major).count() > 0;
    if is_gone {
        target.notes.push(Diagnostic {
            code: "no-such-device".into(),
            file: None,
            line: None,
            message: format!("No block device {number} is on this host (any more)."),
            advice: "Nothing can hold what does not exist. Check the number if another device was meant."
                .into(),
        });
    }
    is_gone
}

fn is_mounted(snapshot: &Snapshot, is_it: &dyn Fn(&Mount<'_>) -> bool) -> bool {
    !snapshot.mounts_where(is_it).is_empty()
}

/// Finds devices, paths and namespaces of the target in device lists and mount tables.
pub(super) fn locate(snapshot: &Snapshot, target: &mut Target) {
    add_device_mapper(snapshot, target);
    find_uppermost(snapshot, target);
    // What an error or the query named is the busy object; everything else of the container only surrounds it.
    let by_path = !target.paths.is_empty();
    let by_device = target.busy == BusyKind::Device;
    // Paths that are added on the way have an id of the target, too.
    let may_tell = |mount: &Mount<'_>| {
        let point = mount.mount_point();
        id_position(target, &point).is_some()
            || target.paths.iter().any(|p| is_mount_of_path(target, &point, p))
            || merged_beside(target, mount).is_some()
    };
    for placed in snapshot.mounts_where(&may_tell) {
        locate_in(snapshot, target, &placed, by_path, by_device);
    }
    if target.busy == BusyKind::Unknown {
        target.busy = kind_by_driver(target);
    }
}

/// Tells what a umount of the busy path takes: of several mounts at one path the one that it leads to.
fn find_uppermost(snapshot: &Snapshot, target: &mut Target) {
    if target.busy != BusyKind::Umount {
        return;
    }
    let at_path = |m: &Mount<'_>| target.paths.iter().any(|path| same_path(&m.mount_point(), path));
    let tables = || snapshot.daemon_tables();
    let led_to = tables().flat_map(|table| target.paths.iter().filter_map(|path| table.lookup(path)));
    let led_to = order::set(led_to.filter(|(_, m)| at_path(m)).map(|(_, m)| m.device));
    // A listing without numbers, or several paths at once, tells nothing.
    let [one] = &led_to.iter().copied().collect::<Vec<_>>()[..] else { return };
    if *one != DeviceNumber::UNKNOWN {
        let there = tables().flat_map(|table| table.mounts()).filter(|(_, m)| at_path(m));
        let covered = order::set(there.map(|(_, m)| m.device).filter(|device| device != one));
        (target.uppermost, target.covered) = (Some(*one), covered);
    }
}

fn locate_in(snapshot: &Snapshot, target: &mut Target, placed: &Placed<'_>, by_path: bool, by_device: bool) {
    let mount = &placed.mount;
    let point = mount.mount_point();
    let here = target.is_uppermost(mount) && target.paths.iter().any(|p| is_mount_of_path(target, &point, p));
    let after_id = id_position(target, &point);
    if !by_device
        && let Some(path) = merged_beside(target, mount)
        && (!by_path || target.paths.contains(&path))
    {
        let evidence = || Some(placed.evidence());
        target.alias(visible(&path), AliasKind::Path, evidence());
        target.paths.insert(path);
        // The same overlay, wherever it is mounted.
        add_device(target, mount.device, evidence());
    }
    if !here && (by_path || after_id.is_none_or(|after| after > 2)) {
        return;
    }
    let evidence = || Some(placed.evidence());
    if let Some((kind, inode)) = namespace_link::parse(&mount.root()) {
        if here {
            add_namespace(target, kind, inode, evidence());
        }
        return;
    }
    if by_device && mount.device.is_anonymous() {
        return;
    }
    // A mount that shows a whole file system of its own: its device number stands for the target everywhere.
    if mount.raw_root == b"/" && has_device_of_its_own(mount) && owns_device(target, mount, here) {
        add_device(target, mount.device, evidence());
    }
    if !by_path && after_id.is_some() {
        // Other namespaces show the runtime's directory under paths of their own.
        let host_path = snapshot
            .daemons_path_under(placed.table, mount)
            .unwrap_or_else(|| path_from_storage_root(&point));
        target.alias(visible(&host_path), AliasKind::Path, evidence());
        target.paths.insert(host_path);
    }
    if let Some(upper) = mount.super_option(b"upperdir") {
        target.alias(visible(&upper), AliasKind::UpperDir, evidence());
    }
}

/// Where docker's overlay2 mounts the layer that has this upper directory: `LAYER/merged` beside `LAYER/diff`.
fn merged_beside(target: &Target, mount: &Mount<'_>) -> Option<Vec<u8>> {
    let upper = mount.super_option(b"upperdir")?;
    let dir = upper.strip_suffix(b"/diff")?;
    components(dir).next_back().and_then(|layer| target.id_in(layer))?;
    Some([dir, b"/merged"].concat())
}

/// Whether a mount point in some namespace is that path of the host: the same, or seen below a prefix such as
/// `/rootfs`. Short paths stand only for themselves.
pub(crate) fn is_path_of(mount_point: &[u8], path: &[u8]) -> bool {
    same_path(mount_point, path) || (components(path).count() >= 3 && ends_with_path(mount_point, path))
}

/// Whether a mount point in some namespace is that path of the host: the same, seen below a prefix such as
/// `/rootfs`, or with the same end.
pub(crate) fn is_mount_of_path(target: &Target, point: &[u8], path: &[u8]) -> bool {
    is_path_of(point, path) || ends_with_id_and_rest(target, point, path)
}

/// Whether a mount point ends as the busy path does, from the id on: `/logs/ID/shm` where somebody bound
/// `/var/lib/docker/containers` at `/logs`.
fn ends_with_id_and_rest(target: &Target, point: &[u8], path: &[u8]) -> bool {
    let mut point = components(point).rev();
    for part in components(path).rev() {
        if point.next() != Some(part) {
            return false;
        }
        if target.id_in(part).is_some() {
            return true;
        }
    }
    false
}

/// How many components follow the one that is an id of the target.
fn id_position(target: &Target, path: &[u8]) -> Option<usize> {
    components(path).rev().position(|c| target.id_in(c).is_some())
}

/// The host's path in a path seen below a prefix: from `/var`, `/run`, `/home` or the like on.
fn path_from_storage_root(point: &[u8]) -> Vec<u8> {
    const ROOTS: [&[u8]; 6] =
        [b"/var/lib/", b"/run/containerd/", b"/var/run/", b"/run/", b"/home/", b"/opt/"];
    let start = crate::bytes::position_of_any(point, &ROOTS).unwrap_or(0);
    point[start..].to_vec()
}

/// File systems whose device number is shared with nothing else: block devices, and those with one anonymous
/// number a superblock. btrfs shows one number for all subvolumes; nsfs, proc, sysfs and cgroups are the kernel's.
fn has_device_of_its_own(mount: &Mount<'_>) -> bool {
    if mount.device == DeviceNumber::UNKNOWN {
        return false;
    }
    if !mount.device.is_anonymous() {
        return mount.fs_type != b"btrfs";
    }
    matches!(
        mount.fs_type,
        b"overlay" | b"aufs" | b"tmpfs" | b"zfs" | b"shm" | b"fuse.fuse-overlayfs" | b"ramfs"
    )
}

/// A block device belongs to the target where its name says so or where the busy path is its mount point.
fn owns_device(target: &Target, mount: &Mount<'_>, here: bool) -> bool {
    let source = mount.source();
    here || mount.device.is_anonymous()
        || components(&source).next_back().is_some_and(|name| target.id_in(name).is_some())
}

fn add_namespace(target: &mut Target, kind: &[u8], inode: NamespaceInode, evidence: Option<Evidence>) {
    target.alias(format!("{}:[{}]", visible(kind), inode.0), AliasKind::Namespace, evidence);
    target.namespaces.insert((kind.to_vec(), inode));
}

fn add_device_mapper(snapshot: &Snapshot, target: &mut Target) {
    let by_sys =
        snapshot.devices.values().filter_map(|d| Some((d.dm_name.clone()?, d.number?, d.evidence.clone())));
    let by_tool =
        snapshot.dm_names.iter().map(|(name, (number, e))| (name.clone(), *number, Some(e.clone())));
    let ours: Vec<_> = by_sys.chain(by_tool).filter(|(name, _, _)| target.id_in(name).is_some()).collect();
    // Where another object of the container is the busy one, its device is only one more name.
    let is_object = target.busy == BusyKind::Device
        || !target.knows_object()
        || target.paths.iter().any(|p| contains_path(p, b"devicemapper/mnt"));
    for (name, number, evidence) in ours {
        if is_object {
            add_device(target, number, evidence.clone());
        }
        target.alias(visible(&name), AliasKind::Device, evidence);
    }
}

/// What a container's removal would find busy, by its storage driver.
fn kind_by_driver(target: &Target) -> BusyKind {
    match target.driver.as_deref() {
        Some("devicemapper") => BusyKind::Device,
        Some("zfs" | "btrfs") => BusyKind::Dataset,
        _ if target.devices.iter().any(|d| !d.is_anonymous()) => BusyKind::Device,
        _ => BusyKind::Directory,
    }
}
