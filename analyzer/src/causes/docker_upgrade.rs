//! What a newer docker does better, where the bundle tells which one runs.

use super::{Case, Finding, remedy};
use crate::report::{BusyKind, HolderKind};

/// docker 20.10 removes the mount point after its umount, 17.05 does not (tried on kernel 6.1).
pub(super) fn condition(case: &Case<'_>) -> Option<Finding> {
    let foreign = !case.holder.mounts.is_empty()
        && !matches!(case.holder.kind, HolderKind::Device | HolderKind::OpenFile);
    let helps =
        case.snapshot.facts.drops_foreign_mounts() == Some(true) && case.target.busy == BusyKind::Device;
    if !foreign || !helps || case.snapshot.facts.docker_removes_mount_points() != Some(false) {
        return None;
    }
    let version = case.snapshot.facts.docker_version.as_deref().unwrap_or_default();
    Some(Finding {
        id: "docker-leaves-mount-point",
        summary: format!(
            "docker {} leaves the mount point's directory after its umount. Newer ones remove it, and this kernel then drops the copies in all other namespaces.",
            crate::bytes::visible(version.as_bytes())
        ),
        remedies: vec![remedy::lasting(
            String::new(),
            "Upgrade docker to 20.10 or newer, up to 24 (25.0 has no devicemapper any more): it removes the mount point after the umount, and this kernel then drops the copies in all other namespaces by itself.",
            "An upgrade of docker stops the containers unless live-restore is on.",
        )],
    })
}
