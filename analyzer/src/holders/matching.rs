//! Whether a mount is one of the target's: by device number, by dataset, by upper directory, by namespace,
//! by whole path components. Never by a bare substring.

use crate::bytes::{components, contains_path, is_at_or_below, visible};
use crate::parse::mountinfo::Mount;
use crate::parse::namespace_link;
use crate::report::{BusyKind, MountView};
use crate::resolve::{Target, is_mount_of_path};
use crate::snapshot::{DeviceNumber, MountTable};

/// How a mount belongs to the target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Match {
    /// Whether it is (or is on) the busy object itself, not just another mount of the same container.
    pub(super) is_object: bool,
    /// In words.
    pub(super) by: String,
}

pub(super) fn match_mount(target: &Target, mount: &Mount<'_>) -> Option<Match> {
    // cgroup mounts carry container ids in their root; they hold nothing of the storage.
    if mount.fs_type.starts_with(b"cgroup") {
        return None;
    }
    let object = |by: String| Some(Match { is_object: true, by });
    if let Some((kind, inode)) = namespace_link::parse(&mount.root()) {
        let pinned = target.namespaces.contains(&(kind.to_vec(), inode));
        return if pinned { object(format!("pins {}:[{}]", visible(kind), inode.0)) } else { None };
    }
    if target.devices.contains(&mount.device) {
        return object(format!("same device {}", mount.device));
    }
    // Listings without device numbers still name the device.
    if mount.device == DeviceNumber::UNKNOWN
        && let Some(id) = components(&mount.source()).next_back().and_then(|c| target.id_in(c))
    {
        return object(format!("its source is the device of {}", crate::resolve::short(id)));
    }
    if mount.fs_type == b"zfs" && target.datasets.iter().any(|d| is_at_or_below(&mount.source(), d)) {
        return object(format!("dataset {}", visible(&mount.source())));
    }
    for option in [&b"upperdir"[..], b"workdir"] {
        if let Some(dir) = mount.super_option(option)
            && let Some(id) = components(&dir).find_map(|c| target.id_in(c))
        {
            // Where another mount of the container is the busy one, its root is not.
            let is_object = target.busy == BusyKind::OverlayMount
                || !target.knows_object()
                || target.paths.iter().any(|p| contains_path(p, id.as_bytes()));
            let by = format!("{} is of layer {}", visible(option), crate::resolve::short(id));
            return Some(Match { is_object, by });
        }
    }
    let point = mount.mount_point();
    for path in &target.paths {
        if is_mount_of_path(target, &point, path) {
            if target.is_uppermost(mount) {
                return object("mount point is the busy path".to_owned());
            }
            continue;
        }
        if components(path).count() >= 3 && contains_path(&point, path) || is_at_or_below(&point, path) {
            return object("mounted below the busy path".to_owned());
        }
    }
    if mount.fs_type == b"btrfs"
        && let Some(id) = components(&mount.root()).find_map(|c| target.id_in(c))
    {
        return object(format!("subvolume of {}", crate::resolve::short(id)));
    }
    let id = components(&point).find_map(|c| target.id_in(c))?;
    // An error about a device is about no file system without one. (btrfs has an anonymous number on any device.)
    let has_none = mount.device.is_anonymous() && !mount.source().starts_with(b"/dev/");
    let is_another = target.busy == BusyKind::Device && target.error.is_some() && has_none;
    let is_object = !target.knows_object() && (!is_another || mount.device == DeviceNumber::UNKNOWN);
    Some(Match { is_object, by: format!("mount point has the id {}", crate::resolve::short(id)) })
}

/// A mount as the report shows it.
pub(crate) fn mount_view(table: &MountTable, line: u32, mount: &Mount<'_>, matched_by: String) -> MountView {
    // Silence about propagation is not "private".
    let untold =
        if mount.device == DeviceNumber::UNKNOWN { "; this listing does not tell propagation" } else { "" };
    MountView::of(mount, matched_by + untold, table.evidence(line, &mount.line()))
}
