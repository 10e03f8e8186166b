//! Mount namespaces that have a mount of the target.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::directory::Directories;
use super::matching::{match_mount, mount_view};
use crate::order;
use crate::report::{HolderKind, MountView};
use crate::resolve::Target;
use crate::snapshot::{DeviceNumber, MountNamespace, Pid, Placed, Places, Snapshot, TableId};

/// A mount of the target.
struct Hit {
    is_object: bool,
    on_block_device: bool,
    on_directory: Option<bool>,
    view: MountView,
}

pub(super) fn find(snapshot: &Snapshot, target: &Target) -> Vec<Found> {
    let mut hits: BTreeMap<TableId, Vec<Hit>> = BTreeMap::new();
    let directories = Directories::of(snapshot, target);
    let of_target = snapshot.mounts_where(&|mount| match_mount(target, mount).is_some());
    for of_table in of_target.chunk_by(|a, b| a.id == b.id) {
        let Some(Placed { id, table, .. }) = of_table.first() else { continue };
        let places = Places::of(table);
        let hit = |Placed { line, mount, .. }: &Placed<'_>| {
            let matched = match_mount(target, mount)?;
            Some(Hit {
                is_object: matched.is_object,
                on_block_device: !mount.device.is_anonymous() || mount.device == DeviceNumber::UNKNOWN,
                on_directory: directories.hold(snapshot, *id, &places, mount),
                view: mount_view(table, *line, mount, matched.by),
            })
        };
        hits.insert(*id, of_table.iter().filter_map(hit).collect());
    }
    let daemon = snapshot.daemon_namespace().map(|n| n.key);
    let host = snapshot.host_namespace().map(|n| n.key);
    snapshot
        .namespaces
        .values()
        .filter_map(|namespace| {
            let mounts: Vec<&Hit> = namespace.tables.iter().filter_map(|t| hits.get(t)).flatten().collect();
            // What is inside of another mount at the same path is not in the way of a umount.
            let uppermost = target.uppermost.map(|device| device.to_string());
            let is_concerned =
                |hit: &&Hit| uppermost.as_ref().is_none_or(|device| hit.view.device == *device);
            if !mounts.iter().any(is_concerned) {
                return None;
            }
            let mut found = Found::new(kind_of(snapshot, target, namespace), Some(namespace.key));
            found.is_daemons = daemon == Some(namespace.key);
            if host == Some(namespace.key) {
                found.kind = HolderKind::Host;
            } else if found.is_daemons {
                found.kind = HolderKind::Daemon;
            }
            found.pids = pids_that_count(snapshot, namespace);
            found.is_target = is_targets_own(snapshot, target, namespace);
            let objects: Vec<&&Hit> = mounts.iter().filter(|hit| hit.is_object).collect();
            found.has_object = !objects.is_empty();
            let of_block_device = objects.iter().filter(|hit| hit.on_block_device);
            found.block_mounts = order::set(of_block_device.map(|hit| hit.view.id));
            found.on_block_device = !found.block_mounts.is_empty();
            found.object_mounts = order::set(objects.iter().map(|hit| hit.view.id));
            let on_directory = |known| objects.iter().any(|hit| hit.on_directory == known);
            found.on_directory = match (on_directory(Some(true)), on_directory(None)) {
                (true, _) => Some(true),
                (false, true) => None,
                (false, false) => Some(false),
            };
            let may_lie_on_it = objects.iter().filter(|hit| hit.on_directory != Some(false));
            found.directory_mounts = order::set(may_lie_on_it.map(|hit| hit.view.id));
            // One namespace seen from several roots shows the same mount several times.
            let mut seen = BTreeSet::new();
            let first_seen = mounts.into_iter().filter(|hit| seen.insert(hit.view.id));
            found.mounts = first_seen.map(|hit| hit.view.clone()).collect();
            found.name_members(snapshot);
            // Where no cgroup tells (a plain tar of /proc), what systemd left in the namespace does.
            if found.kind == HolderKind::SystemdUnit && found.unit.is_none() {
                found.unit = snapshot.systemd_marks(namespace).map(|(unit, _)| unit);
            }
            if matches!(found.kind, HolderKind::Host) {
                found.unit = None;
                found.pids.clear();
            }
            if namespace.pids.is_empty() {
                found.pids = snapshot.keepers(namespace.key);
                found.evidence.extend(namespace.kept_by.iter().take(8).cloned());
            }
            Some(found)
        })
        .collect()
}

/// Processes of the namespace without the collector itself.
fn pids_that_count(snapshot: &Snapshot, namespace: &MountNamespace) -> BTreeSet<Pid> {
    order::set(namespace.pids.iter().copied().filter(|p| Some(*p) != snapshot.facts.collector_pid))
}

/// Whether the namespace is the target container's: its processes are in the container's cgroup.
fn is_targets_own(snapshot: &Snapshot, target: &Target, namespace: &MountNamespace) -> bool {
    target.container.is_some()
        && namespace
            .pids
            .iter()
            .filter_map(|p| snapshot.processes.get(p))
            .any(|p| p.membership.container == target.container)
}

fn kind_of(snapshot: &Snapshot, target: &Target, namespace: &MountNamespace) -> HolderKind {
    if namespace.pids.is_empty() {
        return HolderKind::Pinned;
    }
    let processes = || namespace.pids.iter().filter_map(|p| snapshot.processes.get(p));
    if is_targets_own(snapshot, target, namespace) || processes().all(|p| p.membership.container.is_some()) {
        return HolderKind::Container;
    }
    if processes().all(crate::snapshot::Process::is_runtime_process) {
        return HolderKind::Daemon;
    }
    if snapshot.systemd_marks(namespace).is_some() { HolderKind::SystemdUnit } else { HolderKind::Unshared }
}
