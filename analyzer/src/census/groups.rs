//! Who is at fault: findings by unit, container or namespace.

use std::collections::{BTreeMap, BTreeSet};

use super::describe::{container_name, container_ref};
use super::survey::{self, Finding, Survey, What};
use super::{CensusGroup, KindCount, Leftover, LeftoverKind};
use crate::bytes::visible;
use crate::order;
use crate::report::link::bounded;
use crate::report::{Effect, Evidence, HolderKind, process_view};
use crate::snapshot::{DeviceNumber, NamespaceKey, Pid, Process, Snapshot};

/// What makes two namespaces one group.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Container(String),
    Service(String),
    Namespace(NamespaceKey),
    /// Processes of one unit that only have files open.
    OpenFiles(NamespaceKey, Option<String>),
}

/// All that is left over on a host, by who is at fault. A host may have a million leftovers and ten thousand groups:
/// [`super::listed`] says which of them are told, and in full.
pub(crate) struct Inventory<'s> {
    pub(crate) survey: Survey<'s>,
    pub(crate) groups: Vec<Group>,
    sizes: BTreeMap<DeviceNumber, u64>,
}

/// One process, unit or container with all that it keeps.
pub(crate) struct Group {
    fault: Fault,
    namespaces: BTreeSet<NamespaceKey>,
    pub(crate) findings: Vec<Finding>,
}

/// Goes through all mount namespaces.
pub(crate) fn take_inventory(snapshot: &Snapshot) -> Inventory<'_> {
    let mut survey = survey::survey(snapshot);
    let mut groups: BTreeMap<Fault, Group> = BTreeMap::new();
    let mut faults: BTreeMap<NamespaceKey, Fault> = BTreeMap::new();
    for finding in std::mem::take(&mut survey.found) {
        // To tell who a namespace belongs to, its whole table is read: once, not for each leftover.
        let key = finding.namespace;
        let of_namespace = faults.entry(key).or_insert_with(|| fault(snapshot, key));
        for (fault, finding) in split_by_fault(snapshot, of_namespace, finding) {
            let new = || Group { fault: fault.clone(), namespaces: BTreeSet::new(), findings: Vec::new() };
            let group = groups.entry(fault.clone()).or_insert_with(new);
            group.namespaces.insert(key);
            group.findings.push(finding);
        }
    }
    let sizes = &snapshot.recorded.device_sizes;
    let sizes = snapshot.devices.iter().filter_map(|(name, d)| Some((d.number?, *sizes.get(name)?)));
    Inventory { survey, groups: groups.into_values().collect(), sizes: order::map(sizes) }
}

/// Mounts belong to the namespace, open files to the units of the processes that have them open.
fn split_by_fault(snapshot: &Snapshot, of_namespace: &Fault, finding: Finding) -> Vec<(Fault, Finding)> {
    let What::Files(leftover) = &finding.what else { return vec![(of_namespace.clone(), finding)] };
    let mut by_fault: BTreeMap<Fault, Leftover> = BTreeMap::new();
    for file in &leftover.open_files {
        let membership = snapshot.processes.get(&Pid(file.pid)).map(|p| &p.membership);
        let fault = match membership {
            Some(m) if m.container.is_some() => Fault::Container(m.container.clone().unwrap_or_default()),
            m => Fault::OpenFiles(finding.namespace, m.and_then(|m| m.unit.as_deref()).map(visible)),
        };
        let mine = by_fault.entry(fault).or_insert_with(|| {
            let evidence = leftover.evidence.iter().filter(|e| !is_open_file(leftover, e)).cloned().collect();
            Leftover { open_files: Vec::new(), evidence, ..(**leftover).clone() }
        });
        mine.evidence.push(file.evidence.clone());
        mine.open_files.push(file.clone());
    }
    let with = |leftover| Finding { what: What::Files(Box::new(leftover)), ..finding.clone() };
    by_fault.into_iter().map(|(fault, leftover)| (fault, with(leftover))).collect()
}

fn is_open_file(leftover: &Leftover, evidence: &Evidence) -> bool {
    leftover.open_files.iter().any(|f| f.evidence == *evidence)
}

fn members(snapshot: &Snapshot, key: NamespaceKey) -> BTreeSet<Pid> {
    let pids = snapshot.namespaces.get(&key).map(|n| n.pids.clone()).unwrap_or_default();
    order::set(pids.into_iter().filter(|p| Some(*p) != snapshot.facts.collector_pid))
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

/// Bytes of the different devices that are pinned, as far as their sizes are known: one counts once, however often it
/// is mounted.
fn pinned_bytes<'f>(
    findings: impl Iterator<Item = &'f Finding>,
    sizes: &BTreeMap<DeviceNumber, u64>,
) -> Option<u64> {
    let devices = findings.filter(|f| f.kind != LeftoverKind::NetworkNamespace).map(|f| f.device);
    let devices: BTreeSet<DeviceNumber> = order::set(devices.filter(|device| sizes.contains_key(device)));
    let bytes = devices.iter().filter_map(|device| sizes.get(device));
    (!devices.is_empty()).then(|| bytes.fold(0u64, |sum, size| sum.saturating_add(*size)))
}

fn count<'f>(findings: impl Iterator<Item = &'f Finding>) -> u32 {
    u32::try_from(findings.count()).unwrap_or(u32::MAX)
}

fn is_blocking(finding: &&Finding) -> bool {
    finding.effect == Effect::Blocking
}

/// How many there are of each kind, by kind.
fn kinds(findings: &[Finding]) -> Vec<KindCount> {
    let kinds: BTreeSet<LeftoverKind> = order::set(findings.iter().map(|f| f.kind));
    let of = |kind| findings.iter().filter(move |f| f.kind == kind);
    let line =
        |kind| KindCount { kind, count: count(of(kind)), blocking: count(of(kind).filter(is_blocking)) };
    kinds.into_iter().map(line).collect()
}

impl Inventory<'_> {
    fn all(&self) -> impl Iterator<Item = &Finding> {
        self.groups.iter().flat_map(|group| &group.findings)
    }

    pub(crate) fn total(&self) -> u32 {
        count(self.all())
    }

    pub(crate) fn blocking(&self) -> u32 {
        count(self.all().filter(is_blocking))
    }

    /// Of the whole host.
    pub(crate) fn pinned_bytes(&self) -> Option<u64> {
        pinned_bytes(self.all(), &self.sizes)
    }

    /// Who it is and how much it keeps, without the leftovers themselves.
    pub(crate) fn holder(&self, group: &Group) -> CensusGroup {
        let Group { fault, namespaces, findings } = group;
        let snapshot = self.survey.snapshot;
        let first = namespaces.first().copied();
        let kind = match fault {
            Fault::OpenFiles(..) => HolderKind::OpenFile,
            Fault::Container(_) => HolderKind::Container,
            _ => first.map_or(HolderKind::Unshared, |key| kind(snapshot, key)),
        };
        let pids = pids(snapshot, kind, group);
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
        let mut holder = CensusGroup {
            label,
            kind,
            unit,
            container,
            mount_namespaces: namespaces
                .iter()
                .filter_map(|key| snapshot.namespaces.get(key)?.inode())
                .collect(),
            pids: pids.iter().map(|p| p.0).collect(),
            process,
            total: count(findings.iter()),
            blocking: count(findings.iter().filter(is_blocking)),
            kinds: kinds(findings),
            pinned_bytes: pinned_bytes(findings.iter(), &self.sizes),
            leftovers: Vec::new(),
        };
        bounded::census_group(&mut holder);
        holder
    }
}

/// All that have to do with it; those that keep the namespace where no process is in it.
fn pids(snapshot: &Snapshot, kind: HolderKind, group: &Group) -> BTreeSet<Pid> {
    let files = group.findings.iter().filter_map(|finding| match &finding.what {
        What::Files(leftover) => Some(&leftover.open_files),
        What::Mount(..) => None,
    });
    let keys = &group.namespaces;
    let pids: BTreeSet<Pid> = match kind {
        HolderKind::OpenFile => order::set(files.flatten().map(|f| Pid(f.pid))),
        // Of the host's processes only the daemon's has to do with it.
        HolderKind::Host => order::set(snapshot.daemon().map(|(pid, _)| pid)),
        _ => order::set(keys.iter().flat_map(|key| members(snapshot, *key))),
    };
    if !pids.is_empty() {
        return pids;
    }
    order::set(keys.iter().flat_map(|key| snapshot.keepers(*key)))
}
