//! Thin devices of containers that are over, mounted nowhere, and still open: after a lazy umount only the device
//! number behind a process's links tells who has them.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::describe::{container_evidence, container_ref, over, pinned, state_word};
use super::objects::{Classifier, Object};
use super::owners::{Life, Owners};
use super::survey::{Finding, What};
use super::{Leftover, LeftoverKind};
use crate::bytes::visible;
use crate::order;
use crate::parse::links::Link;
use crate::report::{Effect, Evidence, OpenFile};
use crate::snapshot::{DeviceNumber, NamespaceKey, Pid, Snapshot};

/// So many open files of one holder are listed.
const LISTED: usize = 20;

pub(super) fn find(
    snapshot: &Snapshot,
    classifier: &Classifier,
    owners: &Owners<'_>,
    mounted: &BTreeSet<DeviceNumber>,
) -> Vec<Finding> {
    let mut found = Vec::new();
    let unmounted = || classifier.thin_devices().filter(|(number, _)| !mounted.contains(number));
    let links = links_by_device(snapshot, &order::set(unmounted().map(|(number, _)| number)));
    for (number, layer) in unmounted() {
        let links = links.get(&number).map_or(&[][..], Vec::as_slice);
        let object = Object { kind: LeftoverKind::ThinDevice, id: layer.to_owned(), network: None };
        // A virtual machine (kata) has its container's device open as a device, mounts it inside, and lives.
        let (container, life) = match links.iter().any(|(_, link)| is_its_node(link, number)) {
            true => owners.owner(&object, number),
            false => owners.owner_of_unmounted(&object, number),
        };
        if !life.is_over() {
            continue;
        }
        for (key, open_files) in openers(snapshot, number, links) {
            let mut evidence: Vec<Evidence> = open_files.iter().map(|f| f.evidence.clone()).collect();
            evidence.extend(container_evidence(snapshot, &object, container));
            let leftover = Leftover {
                kind: LeftoverKind::ThinDevice,
                object: object.id.clone(),
                mount_namespace: snapshot.namespaces.get(&key).and_then(|n| n.inode()),
                container: container.map(|id| container_ref(snapshot, id)),
                container_state: state_word(&life),
                why: format!("It is mounted nowhere any more, but files on it are open; {}.", over(&life)),
                effect: Effect::Blocking,
                effect_reason:
                    "Open files keep the file system alive after a lazy umount, and so the device stays open."
                        .to_owned(),
                device: Some(pinned(snapshot, number)),
                mount: None,
                open_files,
                evidence,
            };
            found.push(Finding {
                namespace: key,
                kind: LeftoverKind::ThinDevice,
                effect: Effect::Blocking,
                device: number,
                is_running: life == Life::Alive,
                what: What::Files(Box::new(leftover)),
            });
        }
    }
    found
}

/// What processes have open on each of these devices or as it; a host has a hundred thousand links.
fn links_by_device<'s>(
    snapshot: &'s Snapshot,
    devices: &BTreeSet<DeviceNumber>,
) -> HashMap<DeviceNumber, Vec<(Pid, &'s Link)>> {
    let mut links: HashMap<DeviceNumber, Vec<(Pid, &Link)>> = HashMap::new();
    for (pid, link) in snapshot.processes.iter().flat_map(|(pid, p)| p.links.iter().map(|link| (*pid, link)))
    {
        let node = link.node.filter(|_| link.is_block_device && link.node != link.device);
        for number in link.device.into_iter().chain(node).filter(|number| devices.contains(number)) {
            links.entry(number).or_default().push((pid, link));
        }
    }
    links
}

fn is_its_node(link: &Link, number: DeviceNumber) -> bool {
    link.is_block_device && link.node == Some(number)
}

/// Open files on a device, by the mount namespace of the process that has them.
fn openers(
    snapshot: &Snapshot,
    number: DeviceNumber,
    links: &[(Pid, &Link)],
) -> BTreeMap<NamespaceKey, Vec<OpenFile>> {
    let mut by_namespace: BTreeMap<NamespaceKey, Vec<OpenFile>> = BTreeMap::new();
    for (pid, link) in links.iter().filter(|(pid, _)| Some(*pid) != snapshot.facts.collector_pid) {
        let Some(process) = snapshot.processes.get(pid) else { continue };
        let Some(namespace) = snapshot.namespace_of(*pid) else { continue };
        let files = by_namespace.entry(namespace.key).or_default();
        if files.len() < LISTED {
            let path = link.path.as_ref().or_else(|| process.link_texts.get(&link.name));
            let path = path.map(|p| visible(p)).unwrap_or_default();
            let reference = visible(&link.name);
            files.push(open_file(*pid, reference, path, number, &process.links_file, link.line));
        }
    }
    by_namespace
}

fn open_file(
    pid: Pid,
    reference: String,
    path: String,
    number: DeviceNumber,
    file: &str,
    line: u32,
) -> OpenFile {
    let text = format!("{reference} {path} on {number}");
    OpenFile {
        pid: pid.0,
        reference,
        path,
        evidence: Evidence { file: file.to_owned(), line: Some(line), text },
    }
}
