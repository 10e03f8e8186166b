//! The lanes of the picture: host, daemon, then the holders' mount namespaces.

use super::process_view::process_view;
use super::propagation::{own_parent, parent_of, telling, why_not_reached};
use super::{Effect, HolderKind, MountView, NamespaceRole, NamespaceView};
use crate::holders::Found;
use crate::resolve::{Target, short};
use crate::snapshot::{MountNamespace, NamespaceKey, Snapshot};

/// Lanes of holders that a report carries; more are in its list of holders all the same.
const LANES: usize = 256;
/// Processes shown in a lane.
const PROCESSES: usize = 8;

/// Of each at most `listed` mounts.
pub(super) fn views(
    snapshot: &Snapshot,
    target: &Target,
    found: &[Found],
    listed: usize,
) -> Vec<NamespaceView> {
    let mut lanes: Vec<NamespaceView> = Vec::new();
    let mut seen: Vec<NamespaceKey> = Vec::new();
    let host = snapshot.host_namespace();
    let daemon = snapshot.daemon_namespace();
    let daemon_name = snapshot.daemon().map(|(_, p)| p.name());
    if let Some(host) = host {
        let shared = daemon.map(|d| d.key) == Some(host.key);
        let label = match (&daemon_name, shared) {
            (Some(name), true) => format!("host, {name}"),
            _ => "host".to_owned(),
        };
        seen.push(host.key);
        lanes.push(lane(snapshot, target, host, NamespaceRole::Host, label, found));
    }
    if let Some(daemon) = daemon.filter(|d| !seen.contains(&d.key)) {
        seen.push(daemon.key);
        let label = daemon_name.unwrap_or_else(|| "daemon".to_owned());
        lanes.push(lane(snapshot, target, daemon, NamespaceRole::Daemon, label, found));
    }
    for holder in found {
        let Some(key) = holder.namespace.filter(|k| !seen.contains(k)) else { continue };
        seen.push(key);
        let label = label(holder);
        match snapshot.namespaces.get(&key) {
            Some(namespace) => {
                lanes.push(lane(snapshot, target, namespace, NamespaceRole::Holder, label, found))
            }
            // Known only from what keeps it.
            None => {
                let inode = match key {
                    NamespaceKey::Inode(inode) => Some(inode.0),
                    NamespaceKey::LowestMount(_) => None,
                };
                lanes.push(NamespaceView {
                    role: NamespaceRole::Holder,
                    inode,
                    label,
                    process_count: 0,
                    processes: Vec::new(),
                    mounts: Vec::new(),
                    parent_mount: None,
                    effect: Some(holder.effect),
                    propagation: "Its mount table is not in the bundle.".to_owned(),
                });
            }
        }
        if lanes.len() >= LANES {
            break;
        }
    }
    lanes.iter_mut().for_each(|lane| lane.mounts.truncate(listed));
    lanes
}

fn label(holder: &Found) -> String {
    if let Some(container) = &holder.container {
        return format!("container {}", container.name.as_deref().unwrap_or(short(&container.id)));
    }
    match (&holder.unit, holder.kind) {
        (Some(unit), _) => unit.clone(),
        (None, HolderKind::Pinned) => "no process".to_owned(),
        (None, HolderKind::Daemon) => "runtime".to_owned(),
        (None, _) => "unshared".to_owned(),
    }
}

fn lane(
    snapshot: &Snapshot,
    target: &Target,
    namespace: &MountNamespace,
    role: NamespaceRole,
    label: String,
    found: &[Found],
) -> NamespaceView {
    let of_namespace = || found.iter().filter(|h| h.namespace == Some(namespace.key));
    let mounts: Vec<MountView> =
        of_namespace().filter(|h| h.kind != HolderKind::Device).flat_map(|h| h.mounts.clone()).collect();
    // In the host's lane the processes that hold it come first; everybody else is only counted.
    let holding: Vec<_> = of_namespace().flat_map(|h| h.pids.iter().copied()).collect();
    let listed = if holding.is_empty() && role != NamespaceRole::Holder {
        namespace
            .pids
            .iter()
            .copied()
            .filter(|p| p.0 == 1 || snapshot.daemon().map(|(d, _)| d) == Some(*p))
            .collect()
    } else {
        holding
    };
    let own = snapshot.daemon_namespace();
    let is_own = own.map(|o| o.key) == Some(namespace.key);
    let parent_mount = match telling(&mounts) {
        Some(mount) => parent_of(snapshot, namespace, mount),
        None => {
            let copies = found.iter().flat_map(|h| h.mounts.iter().filter_map(|m| Some((h.namespace?, m))));
            let copy = copies.into_iter().find(|(_, m)| m.mount_point != "/");
            copy.and_then(|copy| own_parent(snapshot, target, namespace, copy))
        }
    };
    // Of a mount that somebody asks for by its path nothing tells whether it was ever there.
    let is_runtimes = target.container.is_some() || snapshot.daemon().is_some();
    let propagation = match own {
        _ if is_own && mounts.is_empty() && is_runtimes => "The runtime unmounted it here.".to_owned(),
        _ if is_own && mounts.is_empty() => "Not mounted here any more, or never was.".to_owned(),
        _ if is_own => "The runtime's own mount.".to_owned(),
        _ if mounts.is_empty() => "Not mounted here.".to_owned(),
        Some(own) => why_not_reached(snapshot, target, own, namespace, telling(&mounts)),
        None => String::new(),
    };
    NamespaceView {
        role,
        inode: namespace.inode(),
        label,
        process_count: u32::try_from(namespace.pids.len()).unwrap_or(u32::MAX),
        processes: listed.into_iter().take(PROCESSES).filter_map(|p| process_view(snapshot, p)).collect(),
        effect: of_namespace().map(|h| h.effect).min_by_key(|e| match e {
            Effect::Blocking => 0,
            Effect::Holding => 1,
            Effect::Unrelated => 2,
        }),
        mounts,
        parent_mount,
        propagation,
    }
}
