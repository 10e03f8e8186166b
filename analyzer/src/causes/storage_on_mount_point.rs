//! The path is a mount point on purpose: `/var/lib/docker` or the like is a volume of its own (cri-o#2725), or a file
//! such as `/etc/resolv.conf` is bound into a container (moby#28187, openresolv#22).

use super::{Case, Finding, remedy};
use crate::bytes::{same_path, shell_quote};
use crate::report::BusyKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let is_file = case.target.busy == BusyKind::File;
    if !(case.holder.is_daemons || is_file) || !case.holder.open_files.is_empty() {
        return None;
    }
    let mount = case
        .holder
        .mounts
        .iter()
        .find(|m| case.target.paths.iter().any(|p| same_path(m.mount_point.as_bytes(), p)))?;
    if is_file {
        return Some(Finding {
            id: "mount-point-on-purpose",
            summary: format!(
                "{} is a file that is bound there on purpose, from {} of its file system.",
                mount.mount_point, mount.root
            ),
            remedies: vec![remedy::lasting(
                String::new(),
                "Write into the file in place (`cat new > file`) instead of moving another file over it.",
                "",
            )],
        });
    }
    // No container's, and a file system of its own: somebody's volume.
    let is_volume = case.target.busy == BusyKind::Directory
        && case.target.ids.is_empty()
        && mount.root == "/"
        && mount.source.starts_with("/dev/");
    is_volume.then(|| Finding {
        id: "mount-point-on-purpose",
        summary: format!(
            "{} is the mount point of {}: a volume of its own, not a leftover.",
            mount.mount_point, mount.source
        ),
        remedies: vec![remedy::now(
            format!("find {} -mindepth 1 -delete", shell_quote(mount.mount_point.as_bytes())),
            "Removes what is in it and leaves the mount point, which is all that a removal can do here.",
            "Deletes everything in the volume. Stop what uses it first.",
        )],
    })
}
