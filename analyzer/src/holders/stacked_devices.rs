//! Devices on top of the target's: device-mapper stacks (`holders/`), loop devices whose file is on it, swap.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::matching::mount_view;
use crate::bytes::{is_at_or_below, visible};
use crate::parse::mountinfo::Mount;
use crate::report::{Evidence, HolderKind};
use crate::resolve::Target;
use crate::snapshot::{BlockDevice, DeviceNumber, Snapshot};

pub(super) fn find(snapshot: &Snapshot, target: &Target, found: &mut Vec<Found>) {
    let mut below: BTreeSet<DeviceNumber> = target.devices.clone();
    let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
    // Each round finds what is stacked on the round before, down to the mount or swap that ends the chain.
    for turn in 1.. {
        let round: BTreeMap<Vec<u8>, Evidence> = stacked_on(snapshot, target, &below, &seen);
        if round.is_empty() {
            break;
        }
        below.clear();
        for (name, evidence) in round {
            seen.insert(name.clone());
            let number = snapshot.devices.get(&name).and_then(|d| d.number);
            below.extend(number);
            let file = snapshot.devices.get(&name).and_then(|d| d.backing_file.as_deref());
            let mut holder = stacked_holder(snapshot, name, number, evidence);
            let is_elsewhere = turn == 1 && file.is_some_and(|file| is_elsewhere(snapshot, target, file));
            holder.on_directory = is_elsewhere.then_some(false);
            holder.turn = -turn;
            found.push(holder);
        }
    }
    let host = snapshot.host_namespace();
    for (path, evidence) in &snapshot.swaps {
        let is_device = target.devices.iter().filter_map(|d| snapshot.device_path(*d)).any(|p| p == *path)
            || target.devices.iter().any(|d| Some(d.minor) == dm_minor(path) && d.major != 0);
        // A swap file lies on the mount that its path leads to.
        let lies_on = || {
            let tables = host.into_iter().flat_map(|n| &n.tables).filter_map(|t| snapshot.table(*t));
            let mut mounts = tables.filter_map(|table| Some(table.lookup(path)?.1.device));
            !path.starts_with(b"/dev/") && mounts.any(|device| target.devices.contains(&device))
        };
        let is_below = is_inside(target, path);
        // Where one of several mounts at a path is meant, it is the one that the path leads to.
        let on_target = is_device || (is_below && target.uppermost.is_none()) || lies_on();
        if on_target {
            let mut holder = Found::new(HolderKind::Device, None);
            let is_elsewhere = !is_device && is_elsewhere(snapshot, target, path);
            holder.on_directory = is_elsewhere.then_some(false);
            holder.has_object = true;
            holder.turn = -1;
            holder.device = Some([b"swap on ", &path[..]].concat());
            holder.evidence.push(evidence.clone());
            found.push(holder);
        }
    }
}

fn dm_minor(path: &[u8]) -> Option<u32> {
    crate::parse::whole_number(path.strip_prefix(b"/dev/dm-")?)
}

fn stacked_on(
    snapshot: &Snapshot,
    target: &Target,
    below: &BTreeSet<DeviceNumber>,
    seen: &BTreeSet<Vec<u8>>,
) -> BTreeMap<Vec<u8>, Evidence> {
    let mut stacked = BTreeMap::new();
    for (name, device) in &snapshot.devices {
        if device.number.is_some_and(|n| below.contains(&n)) {
            for holder in &device.holders {
                let file = format!("sys/block/{}/holders/{}", visible(name), visible(holder));
                // What lsblk or dmsetup printed is the evidence where there is no /sys.
                let listed = snapshot.devices.get(holder).and_then(|d| d.evidence.clone());
                let evidence = listed.filter(|e| !e.file.starts_with("sys/")).unwrap_or(Evidence {
                    file,
                    line: None,
                    text: visible(holder),
                });
                stacked.insert(holder.clone(), evidence);
            }
        }
        if let Some(evidence) = loop_on(snapshot, target, device, below) {
            stacked.insert(name.clone(), evidence);
        }
    }
    stacked.retain(|name, _| !seen.contains(name));
    stacked
}

/// Whether a file's path leads into the busy directory.
fn is_inside(target: &Target, file: &[u8]) -> bool {
    target.paths.iter().any(|path| is_at_or_below(file, path))
}

/// Whether a file on the target's file system was opened through a mount of it at another path than the busy one.
fn is_elsewhere(snapshot: &Snapshot, target: &Target, file: &[u8]) -> bool {
    let mut mounts = snapshot.daemon_tables().flat_map(|table| table.mounts());
    !is_inside(target, file)
        && mounts.any(|(_, m)| target.devices.contains(&m.device) && is_at_or_below(file, &m.mount_point()))
}

/// Whether the number of its file's device tells that a loop device is on another file system than its path leads to: on
/// one that was covered, or is unmounted. Files of btrfs and overlays have numbers that no table shows.
fn is_on_another(snapshot: &Snapshot, target: &Target, device: &BlockDevice, file: &[u8]) -> bool {
    let Some(number) = device.backing_device else { return false };
    let mut led_to = snapshot.daemon_tables().filter_map(|table| Some(table.lookup(file)?.1));
    let tells = |m: Mount<'_>| {
        let is_known = m.device != DeviceNumber::UNKNOWN && !matches!(m.fs_type, b"btrfs" | b"overlay");
        is_known && m.device != number
    };
    target.covered.contains(&number) || led_to.any(tells)
}

/// A loop device whose file is on the target, by the file's device, or by its path where that is not told.
fn loop_on(
    snapshot: &Snapshot,
    target: &Target,
    device: &BlockDevice,
    below: &BTreeSet<DeviceNumber>,
) -> Option<Evidence> {
    let file = device.backing_file.as_deref();
    let by_device = device.backing_device.is_some_and(|d| below.contains(&d));
    let by_path =
        || file.is_some_and(|file| is_inside(target, file) && !is_on_another(snapshot, target, device, file));
    (by_device || by_path()).then(|| device.evidence.clone()).flatten()
}

fn stacked_holder(
    snapshot: &Snapshot,
    name: Vec<u8>,
    number: Option<DeviceNumber>,
    evidence: Evidence,
) -> Found {
    let mut holder = Found::new(HolderKind::Device, None);
    holder.has_object = true;
    holder.evidence.push(evidence);
    if let Some(number) = number {
        for namespace in snapshot.namespaces.values() {
            let before = holder.mounts.len();
            for table in namespace.tables.iter().filter_map(|t| snapshot.table(*t)) {
                for (line, mount) in table.mounts().filter(|(_, m)| m.device == number) {
                    if !holder.mounts.iter().any(|m| m.id == mount.id.0) {
                        holder.mounts.push(mount_view(table, line, &mount, format!("on {}", visible(&name))));
                    }
                }
            }
            if holder.mounts.len() > before && holder.namespace.is_none() {
                holder.namespace = Some(namespace.key);
                if snapshot.host_namespace().map(|h| h.key) != Some(namespace.key) {
                    holder.pids = namespace.pids.clone();
                }
            }
        }
        for (pid, process) in &snapshot.processes {
            if process
                .links
                .iter()
                .any(|l| l.is_block_device && l.node == Some(number) || l.device == Some(number))
            {
                holder.pids.insert(*pid);
                holder.namespace = holder.namespace.or(snapshot.namespace_of(*pid).map(|n| n.key));
            }
        }
    }
    holder.name_members(snapshot);
    holder.device = Some([b"/dev/", &name[..]].concat());
    holder
}
