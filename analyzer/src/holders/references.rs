//! Processes with an open file, a directory or a mapping on the target. After a lazy umount no mount table
//! shows the file system any more; the device number behind the link still does.

use std::collections::BTreeSet;

use super::Found;
use crate::bytes::{is_at_or_below, visible};
use crate::order;
use crate::parse::links::Link;
use crate::report::{Evidence, HolderKind, OpenFile};
use crate::resolve::Target;
use crate::snapshot::{MountId, NamespaceKey, Pid, Process, Snapshot};

/// So many open files of one holder are listed.
const LISTED: usize = 50;

pub(super) fn find(snapshot: &Snapshot, target: &Target, found: &mut Vec<Found>) {
    let mount_ids: BTreeSet<MountId> =
        order::set(found.iter().flat_map(|h| &h.object_mounts).map(|id| MountId(*id)));
    for (pid, process) in &snapshot.processes {
        if Some(*pid) == snapshot.facts.collector_pid {
            continue;
        }
        let files = open_files(snapshot, target, &mount_ids, *pid, process);
        // Links without numbers were found by the path of a device.
        let on_block_device = process.links.is_empty()
            || process.links.iter().any(|link| {
                let devices = [link.device, link.node.filter(|_| link.is_block_device)];
                devices.into_iter().flatten().any(|d| target.devices.contains(&d) && !d.is_anonymous())
            });
        if files.is_empty() {
            continue;
        }
        let namespace = snapshot.namespace_of(*pid).map(|n| n.key);
        let holder = holder_for(snapshot, target, found, namespace, process);
        if holder.kind == HolderKind::OpenFile {
            holder.pids.insert(*pid);
            holder.on_block_device |= on_block_device;
            let on_it = |link: &&Link| is_on_file_system(snapshot, target, &mount_ids, link);
            holder.keeps_mounted |= process.links.is_empty() || process.links.iter().any(|l| on_it(&l));
        }
        let room = LISTED.saturating_sub(holder.open_files.len());
        holder.open_files.extend(files.into_iter().take(room));
    }
    for holder in found.iter_mut().filter(|h| h.kind == HolderKind::OpenFile) {
        holder.name_members(snapshot);
    }
}

/// A process whose own namespace holds the mount belongs to that holder; in the daemon's and the host's
/// namespace each unit is a holder of its own, since the mount there is not theirs.
fn holder_for<'f>(
    snapshot: &Snapshot,
    target: &Target,
    found: &'f mut Vec<Found>,
    namespace: Option<NamespaceKey>,
    process: &Process,
) -> &'f mut Found {
    let foreign = found.iter().position(|h| {
        h.namespace == namespace
            && h.has_object
            && !h.is_daemons
            && !matches!(h.kind, HolderKind::Host | HolderKind::OpenFile)
    });
    let same_group = || {
        found.iter().position(|h| {
            h.kind == HolderKind::OpenFile && h.namespace == namespace && {
                let first = h.pids.first().and_then(|p| snapshot.processes.get(p));
                first.is_some_and(|p| {
                    p.membership.unit == process.membership.unit
                        && p.membership.container == process.membership.container
                })
            }
        })
    };
    let index = foreign.or_else(same_group).unwrap_or_else(|| {
        let mut holder = Found::new(HolderKind::OpenFile, namespace);
        holder.is_daemons = namespace.is_some() && namespace == snapshot.daemon_namespace().map(|n| n.key);
        holder.is_target = target.container.is_some() && process.membership.container == target.container;
        holder.has_object = true;
        found.push(holder);
        found.len() - 1
    });
    &mut found[index]
}

fn open_files(
    snapshot: &Snapshot,
    target: &Target,
    mounts: &BTreeSet<MountId>,
    pid: Pid,
    process: &Process,
) -> Vec<OpenFile> {
    if !process.links.is_empty() {
        return process
            .links
            .iter()
            .filter(|link| is_on_target(snapshot, target, mounts, link))
            .map(|link| {
                let path = link.path.as_ref().or_else(|| process.link_texts.get(&link.name));
                let shown = path.map(|p| visible(p)).unwrap_or_default();
                let device = link.node.filter(|n| target.devices.contains(n)).or(link.device);
                let what = device
                    .map(|d| format!("{} {shown} on {d}", visible(&link.name)))
                    .unwrap_or(shown.clone());
                OpenFile {
                    pid: pid.0,
                    reference: visible(&link.name),
                    path: shown,
                    evidence: Evidence {
                        file: process.links_file.clone(),
                        line: Some(link.line),
                        text: what,
                    },
                }
            })
            .collect();
    }
    // Without device numbers only a path can tell, and only where the mount is still in the process's table.
    let Some(table) = process.table.and_then(|t| snapshot.table(t)) else { return Vec::new() };
    let device_nodes: Vec<Vec<u8>> = target.devices.iter().filter_map(|d| snapshot.device_path(*d)).collect();
    let on_target = |path: &[u8]| {
        device_nodes.iter().any(|node| node == path)
            || table.mounts().any(|(_, m)| {
                target.devices.contains(&m.device)
                    && m.raw_mount_point != b"/"
                    && is_at_or_below(path, &m.mount_point())
            })
    };
    process
        .link_texts
        .iter()
        .filter(|(name, path)| !name.starts_with(b"ns/") && path.starts_with(b"/") && on_target(path))
        .map(|(name, path)| OpenFile {
            pid: pid.0,
            reference: visible(name),
            path: visible(path),
            evidence: Evidence {
                file: format!("proc/{}/{}", pid.0, visible(name)),
                line: None,
                text: visible(path),
            },
        })
        .collect()
}

fn is_on_target(snapshot: &Snapshot, target: &Target, mounts: &BTreeSet<MountId>, link: &Link) -> bool {
    let by_node = link.is_block_device && link.node.is_some_and(|n| target.devices.contains(&n));
    by_node || is_on_file_system(snapshot, target, mounts, link)
}

fn is_on_file_system(snapshot: &Snapshot, target: &Target, mounts: &BTreeSet<MountId>, link: &Link) -> bool {
    let by_device = link.device.is_some_and(|d| target.devices.contains(&d));
    // A mount id tells where the device number does not: files of an overlay over several file systems and of btrfs
    // subvolumes have numbers of their own (kernel doc overlayfs.rst, "Inode properties").
    let by_mount = link.mount.is_some_and(|m| mounts.contains(&m));
    // `fuser` and a pasted `lsof` tell paths, and in a paste nothing else may tell the target's device.
    let by_path = target.devices.is_empty()
        && link.mount.is_none()
        && (link.device.is_none() || snapshot.facts.is_paste())
        && link.path.as_ref().is_some_and(|p| target.paths.iter().any(|own| is_at_or_below(p, own)));
    by_device || by_mount || by_path
}
