//! A cgroup directory is busy while processes or child cgroups are in it; no mount is to blame
//! (kernel doc, cgroup-v2: a cgroup with live processes cannot be destroyed).

use super::Found;
use crate::report::{BusyKind, HolderKind};
use crate::resolve::Target;
use crate::snapshot::Snapshot;

pub(super) fn find(snapshot: &Snapshot, target: &Target, found: &mut Vec<Found>) {
    if target.busy != BusyKind::Cgroup {
        return;
    }
    found.clear();
    let mut holder = Found::new(HolderKind::Container, None);
    // One with nothing but zombies counts as empty (the same document, "[Un]populated Notification").
    for (pid, process) in snapshot.processes.iter().filter(|(_, p)| p.is_alive()) {
        let member = process.membership.container.as_ref().is_some_and(|id| target.ids.contains(id));
        if member {
            holder.pids.insert(*pid);
            holder.evidence.extend(process.membership.evidence());
        }
    }
    if !holder.pids.is_empty() {
        holder.has_object = true;
        holder.is_target = true;
        holder.namespace = holder.pids.first().and_then(|p| snapshot.namespace_of(*p)).map(|n| n.key);
        holder.name_members(snapshot);
        found.push(holder);
    }
}
