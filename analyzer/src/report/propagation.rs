//! Why the umount did not reach the copies: reasoning over peer groups (kernel doc sharedsubtree.rst).
//!
//! A umount propagates along the PARENT mount: what is unmounted at a place of mount P is unmounted at the same
//! place of every peer and slave of P. So the parents decide, not the copies.

use std::collections::BTreeSet;

use super::{Effect, HolderKind, MountView};
use crate::bytes::visible;
use crate::holders::{Found, mount_view, runtime_place};
use crate::parse::mountinfo::Mount;
use crate::resolve::Target;
use crate::snapshot::{MountId, MountNamespace, NamespaceKey, Snapshot};
use crate::timeline;

/// One sentence for each namespace that holds a copy, the general ones first.
pub(super) fn sentences(snapshot: &Snapshot, target: &Target, found: &[Found]) -> Vec<String> {
    let (mut sentences, mut told) = (Vec::new(), BTreeSet::new());
    let Some(own) = snapshot.daemon_namespace() else { return sentences };
    let copies =
        found.iter().filter(|h| !h.is_daemons && !h.mounts.is_empty() && h.effect != Effect::Unrelated);
    for holder in copies.filter(|h| !matches!(h.kind, HolderKind::OpenFile | HolderKind::Device)) {
        let Some(namespace) = holder.namespace.and_then(|k| snapshot.namespaces.get(&k)) else { continue };
        let sentence = why_not_reached(snapshot, target, own, namespace, telling(&holder.mounts));
        for sentence in
            [Some(sentence), timeline::when_copied(snapshot, target, holder)].into_iter().flatten()
        {
            if told.insert(sentence.clone()) {
                sentences.push(sentence);
            }
        }
    }
    sentences
}

/// Of several copies in a namespace the one that stays.
pub(super) fn telling(copies: &[MountView]) -> Option<&MountView> {
    copies.iter().find(|m| m.follows == Some(false)).or(copies.first())
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
    let own_parent = own_parent(snapshot, target, own, (other.key, copy));
    let mounts = [own_parent.as_ref(), parent.as_ref(), Some(copy)];
    if let Some(untold) = mounts.into_iter().flatten().find(|m| !m.tells_propagation()) {
        let file = &untold.evidence.file;
        return format!(
            "Whether a umount reaches {name} is not known: {file} is a listing without propagation, /proc/PID/mountinfo tells it."
        );
    }
    let own_place = runtime_place(snapshot, target, own, (other.key, copy));
    match (own_place, snapshot.parent_of(other.key, MountId(copy.id))) {
        (Some((path, _, _, here)), Some((_, _, there))) => {
            between(snapshot, other, (&here, &path), (&there, copy), &name)
        }
        (Some((_, _, _, here)), None) if here.shared().is_none() && copy.mount_point != "/" => {
            not_shared(&here)
        }
        (None, Some((_, _, there))) => format!(
            "{} in {name} is {}; the runtime's own mount there is not in the bundle.",
            shown(&there),
            there.propagation()
        ),
        _ if copy.mount_point == "/" => format!(
            "In {name} it is the root file system: the namespace was made for the container, and ends with its last process."
        ),
        _ => format!("The copy in {name} is {}.", copy.propagation()),
    }
}

/// From the mount that the runtime's own one is or was on to the one that the copy is on.
fn between(
    snapshot: &Snapshot,
    other: &MountNamespace,
    (here, path): (&Mount<'_>, &[u8]),
    (there, copy): (&Mount<'_>, &MountView),
    name: &str,
) -> String {
    let Some(group) = here.shared() else { return not_shared(here) };
    let groups = snapshot.peer_groups();
    let (group, shown_here) = (group.0, shown(here));
    if !groups.reaches(crate::snapshot::PeerGroup(group), there) {
        return format!(
            "{} in {name} is {}: it takes no umount from peer group {group} of the runtime's {shown_here}.",
            shown(there),
            state(snapshot, there),
        );
    }
    let relation = if there.shared().is_some_and(|g| g.0 == group) { "a peer of" } else { "a slave of" };
    let reached =
        format!("{} in {name} is {relation} the runtime's {shown_here} (peer group {group})", shown(there));
    let inside = snapshot.children_of(other.key, MountId(copy.id));
    let inside = inside.iter().find(|m| m.mount_point() != copy.mount_point.as_bytes()).map(shown);
    if copy.follows == Some(true) {
        format!("{reached}: the runtime's umount takes this copy along.")
    } else if !groups.unmounts((here, path), (there, copy.mount_point.as_bytes())) {
        format!(
            "{reached}, but the copy is at another directory of it: a umount is repeated at the same directory only."
        )
    } else if let Some(inside) = inside {
        format!("{reached}, but {inside} is mounted inside of the copy: the kernel leaves such a one alone.")
    } else {
        format!(
            "{reached}, so a umount does reach it now: the copy was made, or the mount was moved, outside of that group, or the umount has not happened yet."
        )
    }
}

fn not_shared(here: &Mount<'_>) -> String {
    format!(
        "In the runtime's namespace the mount below which the target was mounted, {}, is {} (no shared: tag): a umount below it reaches no other namespace.",
        shown(here),
        here.propagation(),
    )
}

/// The propagation state with its peer groups, and whether the master is anywhere to be seen.
fn state(snapshot: &Snapshot, mount: &Mount<'_>) -> String {
    let own = mount.shared().map(|g| format!("shared in peer group {}", g.0));
    let of = mount.master().map(|group| {
        let alive = snapshot.peer_groups().has_mounts(group);
        let dead = if alive { "" } else { ", of which no mount is left" };
        format!("slave of peer group {}{dead}", group.0)
    });
    match (own, of) {
        (Some(own), Some(of)) => format!("{own} and {of}"),
        (Some(one), None) | (None, Some(one)) => one,
        (None, None) => mount.propagation().to_owned(),
    }
}

fn shown(mount: &Mount<'_>) -> String {
    visible(&mount.mount_point())
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
    copy: (NamespaceKey, &MountView),
) -> Option<MountView> {
    let (_, table, line, mount) = runtime_place(snapshot, target, own, copy)?;
    Some(mount_view(table, line, &mount, "mount that the target was mounted on".to_owned()))
}
