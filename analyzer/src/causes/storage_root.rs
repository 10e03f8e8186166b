//! The runtime's storage directory was made private, mostly bound on itself (moby#36047 for docker before 18.03,
//! buildah#2030, moby#32226): umounts below it reach no other namespace, not even those that follow the host.

use super::{Case, Finding, remedy, unmount, versions};
use crate::bytes::{components, ends_with_path, shell_quote, visible};
use crate::holders::runtime_place;
use crate::parse::mountinfo::Mount;
use crate::report::HolderKind;

/// The cause itself where the holder's namespace follows the host in everything else.
pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let own = case.snapshot.daemon_namespace()?;
    let namespace = case.snapshot.namespaces.get(&case.holder.namespace?)?;
    let root = |tables: &std::collections::BTreeSet<_>| {
        let mut tables = tables.iter().filter_map(|t| case.snapshot.table(*t));
        tables.find_map(|table| table.lookup(b"/").map(|(_, mount)| mount))
    };
    let group = root(&own.tables)?.shared()?;
    if !case.snapshot.peer_groups().reaches(group, &root(&namespace.tables)?) {
        return None;
    }
    let mut finding = condition(case)?;
    finding.remedies.splice(0..0, unmount::for_any_holder(case));
    Some(finding)
}

pub(super) fn condition(case: &Case<'_>) -> Option<Finding> {
    if matches!(case.holder.kind, HolderKind::OpenFile | HolderKind::Device | HolderKind::Host) {
        return None;
    }
    let own = case.snapshot.daemon_namespace()?;
    let copy = case.holder.mounts.iter().find(|m| m.mount_point != "/")?;
    let (_, _, _, below) = runtime_place(case.snapshot, case.target, own, (case.holder.namespace?, copy))?;
    if below.shared().is_some() || !is_storage(&below) {
        return None;
    }
    let point = below.mount_point();
    let mut remedies = Vec::new();
    if versions::docker_before(case, (18, 3)) && contains_docker(&point) {
        remedies.push(remedy::lasting(
            String::new(),
            "Upgrade docker to 18.03 or newer: it no longer makes its storage directory private, so that its umounts reach other namespaces (moby#36047).",
            "An upgrade of docker stops the containers unless live-restore is on.",
        ));
    } else {
        remedies.push(remedy::lasting(
            format!("mount --make-shared {}", shell_quote(&point)),
            "Lets what is mounted below it from now on, and its umounts, reach the namespaces that are made from now on. Do the same where the bind is made (fstab, a unit), or the next boot brings it back.",
            "Containers' mounts become visible in those namespaces. What has a copy already keeps it.",
        ));
    }
    Some(Finding {
        id: "storage-root-private",
        summary: format!(
            "{} is a mount of its own and {} in the runtime's namespace: no umount below it reaches another namespace.",
            visible(&point),
            if below.unbindable() {
                "unbindable"
            } else if below.master().is_some() {
                "a slave"
            } else {
                "private"
            },
        ),
        remedies,
    })
}

fn contains_docker(point: &[u8]) -> bool {
    components(point).any(|c| c == b"docker")
}

/// A runtime's directory, or any directory bound on itself.
fn is_storage(mount: &Mount<'_>) -> bool {
    const HOMES: [&[u8]; 9] = [
        b"docker/devicemapper",
        b"docker/overlay2",
        b"docker/overlay",
        b"docker/aufs",
        b"docker/btrfs",
        b"docker/zfs",
        b"lib/docker",
        b"containers/storage",
        b"containers/storage/overlay",
    ];
    let (point, root) = (mount.mount_point(), mount.root());
    HOMES.iter().any(|home| ends_with_path(&point, home))
        || (components(&root).count() > 0 && ends_with_path(&point, &root))
}
