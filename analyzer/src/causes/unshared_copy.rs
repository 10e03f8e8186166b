//! A mount namespace that somebody unshared (`unshare -m`, a sandbox, an agent) while the container was running.

use super::{Case, Finding, remedy, unmount};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::Unshared {
        return None;
    }
    let mount = case.holder.mounts.first()?;
    // A few lines of a table, as people paste them, tell nothing of who made the namespace.
    let namespace = case.snapshot.namespaces.get(&case.holder.namespace?)?;
    let mut tables = namespace.tables.iter().filter_map(|t| case.snapshot.table(*t));
    if !tables.any(|t| t.mounts().any(|(_, m)| m.raw_mount_point == b"/")) {
        return None;
    }
    let state = if mount.tells_propagation() { mount.propagation() } else { "a mount of its own" };
    let who = case.holder.name(case.snapshot);
    let summary = format!(
        "{who} has a mount namespace of its own that was copied from the host's while the container's file system was mounted (`unshare -m` or the like; systemd left no mark in it). Its copy is {state}, so the host's umount did not reach it.",
    );
    let mut remedies = unmount::for_any_holder(case);
    remedies.push(remedy::lasting(
        String::new(),
        "Start it with a namespace that follows the host's umounts: `unshare -m --propagation slave …` (a unit: `MountFlags=slave`), or start it before any container.",
        "Mounts of the host become visible in it.",
    ));
    Some(Finding { id: "unshared-copy", summary, remedies })
}
