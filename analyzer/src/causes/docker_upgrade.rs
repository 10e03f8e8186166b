//! What a newer docker does better, where the bundle tells which one runs.

use super::{Case, remedy};
use crate::bytes::contains_path;
use crate::report::{BusyKind, HolderKind, Remedy};

/// Lasting remedies that depend on the docker version.
pub(super) fn lasting(case: &Case<'_>) -> Vec<Remedy> {
    let foreign = !case.holder.is_daemons
        && !case.holder.is_target
        && !case.holder.mounts.is_empty()
        && !matches!(case.holder.kind, HolderKind::Device | HolderKind::OpenFile);
    let Some(version) = case.snapshot.facts.docker_version.as_deref().and_then(version) else {
        return Vec::new();
    };
    if !foreign {
        return Vec::new();
    }
    let mut remedies = Vec::new();
    // docker 20.10 removes the mount point after its umount, 17.05 does not (tried on kernel 6.1).
    let removes =
        case.snapshot.facts.drops_foreign_mounts() == Some(true) && case.target.busy == BusyKind::Device;
    if removes && version < (20, 10) {
        remedies.push(remedy::lasting(
            String::new(),
            "Upgrade docker to 20.10 or newer: it removes the mount point after the umount, and this kernel then drops the copies in all other namespaces by itself.",
            "An upgrade of docker stops the containers unless live-restore is on.",
        ));
    } else if version < (18, 3) && storage_root_is_private(case) {
        // moby#36047 (commit 9803272f2d): the driver's home is no longer made private.
        remedies.push(remedy::lasting(
            String::new(),
            "Upgrade docker to 18.03 or newer: it no longer makes its storage directory private, so that its umounts reach other namespaces (moby#36047).",
            "An upgrade of docker stops the containers unless live-restore is on.",
        ));
    }
    remedies
}

/// Major and minor of `17.05.0-ce` or `20.10.24+dfsg1`.
fn version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.split(|c: char| !c.is_ascii_digit());
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

/// A private bind of the storage directory on itself in the daemon's namespace.
fn storage_root_is_private(case: &Case<'_>) -> bool {
    const HOMES: [&[u8]; 5] =
        [b"docker/devicemapper", b"docker/overlay2", b"docker/overlay", b"docker/aufs", b"docker/zfs"];
    let Some(own) = case.snapshot.daemon_namespace() else { return false };
    own.tables.iter().filter_map(|t| case.snapshot.table(*t)).any(|table| {
        table.mounts().any(|(_, m)| {
            let point = m.mount_point();
            let is_home = HOMES.iter().any(|home| crate::bytes::ends_with_path(&point, home));
            is_home && m.shared().is_none() && contains_path(&m.root(), b"docker")
        })
    })
}

#[cfg(test)]
mod tests {
    #[test]
    fn versions_as_distributions_write_them() {
        assert_eq!(super::version("17.05.0-ce"), Some((17, 5)));
        assert_eq!(super::version("20.10.24+dfsg1"), Some((20, 10)));
        assert_eq!(super::version("1.13.1"), Some((1, 13)));
        assert_eq!(super::version("dev"), None);
    }
}
