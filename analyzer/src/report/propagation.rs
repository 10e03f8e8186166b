//! Why the umount did not reach the copies: reasoning over peer groups (kernel doc sharedsubtree.rst).
//!
//! A umount propagates along the PARENT mount: what is unmounted at a place of mount P is unmounted at the same
//! place of every peer and slave of P. So the parents decide, not the copies.

use super::{Effect, HolderKind, MountView};
use crate::holders::{Found, mount_view};
use crate::resolve::Target;
use crate::snapshot::{MountId, MountNamespace, Snapshot};

/// One sentence for each namespace that holds a copy, the general ones first.
pub(super) fn sentences(snapshot: &Snapshot, target: &Target, found: &[Found]) -> Vec<String> {
    let mut sentences = Vec::new();
    let Some(own) = snapshot.daemon_namespace() else { return sentences };
    let copies =
        found.iter().filter(|h| !h.is_daemons && !h.mounts.is_empty() && h.effect != Effect::Unrelated);
    for holder in copies.filter(|h| !matches!(h.kind, HolderKind::OpenFile | HolderKind::Device)) {
        let Some(namespace) = holder.namespace.and_then(|k| snapshot.namespaces.get(&k)) else { continue };
        let sentence = why_not_reached(snapshot, target, own, namespace, holder.mounts.first());
        if !sentences.contains(&sentence) {
            sentences.push(sentence);
        }
    }
    sentences
}

/// About one copy.
pub(super) fn why_not_reached(
    snapshot: &Snapshot,
    target: &Target,
    own: &MountNamespace,
    other: &MountNamespace,
    copy: Option<&MountView>,
) -> String {
    let name = match other.inode() {
        Some(inode) => format!("namespace {inode}"),
        None => "that namespace".to_owned(),
    };
    let Some(copy) = copy else { return format!("The target is not mounted in {name}.") };
    let parent = parent_of(snapshot, other, copy);
    let own_parent = own_parent(snapshot, target, own, copy);
    let mounts = [own_parent.as_ref(), parent.as_ref(), Some(copy)];
    if let Some(untold) = mounts.into_iter().flatten().find(|m| !m.tells_propagation()) {
        let file = &untold.evidence.file;
        return format!(
            "Whether a umount reaches {name} is not known: {file} is a listing without propagation, /proc/PID/mountinfo tells it."
        );
    }
    match (own_parent, parent) {
        (Some(here), _) if here.shared.is_none() => format!(
            "In the runtime's namespace the mount below which the target was mounted, {}, is {} (no shared: tag): a umount below it reaches no other namespace.",
            here.mount_point,
            here.propagation(),
        ),
        (Some(here), Some(there)) => {
            let group = here.shared.unwrap_or_default();
            if there.shared == Some(group)
                || there.master == Some(group)
                || there.propagate_from == Some(group)
            {
                let relation = if there.shared == Some(group) { "a peer of" } else { "a slave of" };
                format!(
                    "{} in {name} is {relation} the runtime's {} (peer group {group}), so a umount does reach it: the copy was made, or the mount was moved, outside of that group, or the umount has not happened yet.",
                    there.mount_point, here.mount_point
                )
            } else {
                format!(
                    "{} in {name} is {}{}: it takes no umount from peer group {group} of the runtime's {}.",
                    there.mount_point,
                    there.propagation(),
                    there.master.map(|m| format!(" of group {m}")).unwrap_or_default(),
                    here.mount_point
                )
            }
        }
        (None, Some(there)) => {
            format!(
                "{} in {name} is {}; the runtime's own mount there is not in the bundle.",
                there.mount_point,
                there.propagation()
            )
        }
        _ if copy.mount_point == "/" => {
            format!(
                "In {name} it is the root file system: the namespace was made for the container, and ends with its last process."
            )
        }
        _ => format!("The copy in {name} is {}.", copy.propagation()),
    }
}

/// The mount that a copy is mounted on.
pub(super) fn parent_of(
    snapshot: &Snapshot,
    namespace: &MountNamespace,
    copy: &MountView,
) -> Option<MountView> {
    let (table, line, parent) = snapshot.parent_of(namespace.key, MountId(copy.id))?;
    Some(mount_view(table, line, &parent, "parent of the target's mount".to_owned()))
}

/// In the runtime's namespace: the parent of the target's mount, or, where it is unmounted already, the mount
/// that its mount point is on.
pub(super) fn own_parent(
    snapshot: &Snapshot,
    target: &Target,
    own: &MountNamespace,
    copy: &MountView,
) -> Option<MountView> {
    let path = target.paths.iter().next().cloned().unwrap_or_else(|| copy.mount_point.clone().into_bytes());
    if path == b"/" {
        return None;
    }
    // A copy below a prefix such as /rootfs shows the host's path after it.
    let at = crate::bytes::position_of_any(&path, &[b"/var/lib/", b"/run/", b"/var/run/"]);
    let path = at.and_then(|at| path.get(at..)).unwrap_or(&path).to_vec();
    let tables = own.tables.iter().filter_map(|t| snapshot.table(*t));
    tables
        .flat_map(|table| table.mounts().map(move |(line, m)| (table, line, m)))
        .filter(|(_, _, m)| {
            let point = m.mount_point();
            !crate::bytes::same_path(&point, &path)
                && crate::bytes::is_at_or_below(&path, &point)
                && !target.devices.contains(&m.device)
        })
        .max_by_key(|(_, line, m)| (crate::bytes::components(&m.mount_point()).count(), *line))
        .map(|(table, line, m)| {
            mount_view(table, line, &m, "mount that the target was mounted on".to_owned())
        })
}
