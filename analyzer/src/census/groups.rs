//! Who is at fault: leftovers by unit, container or namespace, worst first.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::describe::{container_name, container_ref, sizes};
use super::{CensusGroup, Leftover};
use crate::bytes::visible;
use crate::order;
use crate::report::{Effect, HolderKind, process_view};
use crate::snapshot::{NamespaceKey, Pid, PinnedBy, Process, Snapshot};

/// What makes two namespaces one group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Container(String),
    Service(String),
    Namespace(NamespaceKey),
    /// Processes of one unit that only have files open.
    OpenFiles(NamespaceKey, Option<String>),
}

pub(super) fn group(snapshot: &Snapshot, found: Vec<(NamespaceKey, Leftover)>) -> Vec<CensusGroup> {
    let mut groups: BTreeMap<Fault, (BTreeSet<NamespaceKey>, Vec<Leftover>)> = BTreeMap::new();
    let mut faults: BTreeMap<NamespaceKey, Fault> = BTreeMap::new();
    for (key, leftover) in found {
        // To tell who a namespace belongs to, its whole table is read: once, not for each leftover.
        let of_namespace = faults.entry(key).or_insert_with(|| fault(snapshot, key)).clone();
        for (fault, leftover) in split_by_fault(snapshot, key, of_namespace, leftover) {
            let (keys, leftovers) = groups.entry(fault).or_default();
            keys.insert(key);
            leftovers.push(leftover);
        }
    }
    let mut groups: Vec<CensusGroup> = groups
        .into_iter()
        .map(|(fault, (keys, leftovers))| assemble(snapshot, &fault, &keys, leftovers))
        .collect();
    order::sort_by_key(&mut groups, |g| {
        (
            Reverse(g.blocking),
            Reverse(g.pinned_bytes),
            Reverse(g.leftovers.len()),
            g.label.clone(),
            g.pids.clone(),
        )
    });
    groups
}

/// Mounts belong to the namespace, open files to the units of the processes that have them open.
fn split_by_fault(
    snapshot: &Snapshot,
    key: NamespaceKey,
    of_namespace: Fault,
    leftover: Leftover,
) -> Vec<(Fault, Leftover)> {
    if leftover.mount.is_some() {
        return vec![(of_namespace, leftover)];
    }
    let mut by_fault: BTreeMap<Fault, Leftover> = BTreeMap::new();
    for file in &leftover.open_files {
        let membership = snapshot.processes.get(&Pid(file.pid)).map(|p| &p.membership);
        let fault = match membership {
            Some(m) if m.container.is_some() => Fault::Container(m.container.clone().unwrap_or_default()),
            m => Fault::OpenFiles(key, m.and_then(|m| m.unit.as_deref()).map(visible)),
        };
        let mine = by_fault.entry(fault).or_insert_with(|| {
            let evidence =
                leftover.evidence.iter().filter(|e| !is_open_file(&leftover, e)).cloned().collect();
            Leftover { open_files: Vec::new(), evidence, ..leftover.clone() }
        });
        mine.evidence.push(file.evidence.clone());
        mine.open_files.push(file.clone());
    }
    by_fault.into_iter().collect()
}

fn is_open_file(leftover: &Leftover, evidence: &crate::report::Evidence) -> bool {
    leftover.open_files.iter().any(|f| f.evidence == *evidence)
}

fn members(snapshot: &Snapshot, key: NamespaceKey) -> BTreeSet<Pid> {
    let pids = snapshot.namespaces.get(&key).map(|n| n.pids.clone()).unwrap_or_default();
    order::set(pids.into_iter().filter(|p| Some(*p) != snapshot.facts.collector_pid))
}

/// Processes that keep a namespace that none is in.
fn keepers(snapshot: &Snapshot, key: NamespaceKey) -> BTreeSet<Pid> {
    let pins = snapshot.pins.iter().filter(|p| p.kind == b"mnt" && NamespaceKey::Inode(p.inode) == key);
    order::set(pins.filter_map(|p| if let PinnedBy::Descriptor(pid, _) = p.by { Some(pid) } else { None }))
}

/// What all processes have in common.
fn common<T: PartialEq>(processes: &[&Process], of: impl Fn(&Process) -> Option<T>) -> Option<T> {
    let first = of(processes.first()?)?;
    processes.iter().all(|p| of(p).as_ref() == Some(&first)).then_some(first)
}

fn is_home(snapshot: &Snapshot, key: NamespaceKey) -> bool {
    [snapshot.host_namespace(), snapshot.daemon_namespace()].into_iter().flatten().any(|n| n.key == key)
}

fn processes<'s>(snapshot: &'s Snapshot, pids: &BTreeSet<Pid>) -> Vec<&'s Process> {
    pids.iter().filter_map(|p| snapshot.processes.get(p)).collect()
}

fn fault(snapshot: &Snapshot, key: NamespaceKey) -> Fault {
    let pids = members(snapshot, key);
    let all = processes(snapshot, &pids);
    if is_home(snapshot, key) {
        return Fault::Namespace(key);
    }
    if let Some(id) = common(&all, |p| p.membership.container.clone()) {
        return Fault::Container(id);
    }
    // A login session has many programs; only a service is one thing that can be restarted.
    match common(&all, |p| p.membership.unit.clone()) {
        Some(unit) if unit.ends_with(b".service") && kind(snapshot, key) == HolderKind::SystemdUnit => {
            Fault::Service(visible(&unit))
        }
        _ => Fault::Namespace(key),
    }
}

fn kind(snapshot: &Snapshot, key: NamespaceKey) -> HolderKind {
    let Some(namespace) = snapshot.namespaces.get(&key) else { return HolderKind::Pinned };
    let all = processes(snapshot, &namespace.pids);
    if snapshot.host_namespace().is_some_and(|n| n.key == key) {
        HolderKind::Host
    } else if snapshot.daemon_namespace().is_some_and(|n| n.key == key) {
        HolderKind::Daemon
    } else if all.is_empty() {
        HolderKind::Pinned
    } else if all.iter().all(|p| p.membership.container.is_some()) {
        HolderKind::Container
    } else if all.iter().all(|p| p.is_runtime_process()) {
        HolderKind::Daemon
    } else if snapshot.systemd_marks(namespace).is_some() {
        HolderKind::SystemdUnit
    } else {
        HolderKind::Unshared
    }
}

fn assemble(
    snapshot: &Snapshot,
    fault: &Fault,
    keys: &BTreeSet<NamespaceKey>,
    mut leftovers: Vec<Leftover>,
) -> CensusGroup {
    order::sort_by_key(&mut leftovers, |l| {
        let point = l.mount.as_ref().map(|m| (m.mount_point.clone(), m.id));
        (l.effect, l.container_state.as_deref() == Some("running"), l.kind, l.object.clone(), point)
    });
    let first = keys.first().copied();
    let kind = match fault {
        Fault::OpenFiles(..) => HolderKind::OpenFile,
        Fault::Container(_) => HolderKind::Container,
        _ => first.map_or(HolderKind::Unshared, |key| kind(snapshot, key)),
    };
    let mut pids: BTreeSet<Pid> = match kind {
        HolderKind::OpenFile => order::set(leftovers.iter().flat_map(|l| &l.open_files).map(|f| Pid(f.pid))),
        // Of the host's processes only the daemon's has to do with it.
        HolderKind::Host => order::set(snapshot.daemon().map(|(pid, _)| pid)),
        _ => order::set(keys.iter().flat_map(|key| members(snapshot, *key))),
    };
    if pids.is_empty() {
        pids = order::set(keys.iter().flat_map(|key| keepers(snapshot, *key)));
    }
    let all = processes(snapshot, &pids);
    let container = match fault {
        Fault::Container(id) => Some(container_ref(snapshot, id)),
        _ => common(&all, |p| p.membership.container.clone()).map(|id| container_ref(snapshot, &id)),
    };
    let marks = || {
        let namespace = snapshot.namespaces.get(&first?).filter(|_| kind == HolderKind::SystemdUnit)?;
        snapshot.systemd_marks(namespace).map(|(unit, _)| unit)
    };
    let unit = common(&all, |p| p.membership.unit.clone()).map(|u| visible(&u)).or_else(marks);
    let unit = unit.filter(|_| container.is_none());
    let process = pids.first().and_then(|pid| process_view(snapshot, *pid));
    let label = match (&container, &unit, kind) {
        (_, _, HolderKind::Host) => "the host's own mount namespace".to_owned(),
        (Some(container), _, _) => format!("container {}", container_name(container)),
        (_, Some(unit), HolderKind::SystemdUnit) => unit.clone(),
        (_, _, HolderKind::Pinned) => "a mount namespace without a process".to_owned(),
        _ => match &process {
            Some(process) => format!("{} ({})", process.comm, process.pid),
            None => "a mount namespace without a process".to_owned(),
        },
    };
    CensusGroup {
        label,
        kind,
        unit,
        container,
        mount_namespaces: keys.iter().filter_map(|key| snapshot.namespaces.get(key)?.inode()).collect(),
        pids: pids.iter().map(|p| p.0).collect(),
        process,
        blocking: u32::try_from(leftovers.iter().filter(|l| l.effect == Effect::Blocking).count())
            .unwrap_or(u32::MAX),
        pinned_bytes: sizes(&leftovers),
        leftovers,
    }
}
