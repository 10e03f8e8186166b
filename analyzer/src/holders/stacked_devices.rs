//! Devices on top of the target's: device-mapper stacks (`holders/`), loop devices whose file is on it, swap.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use super::matching::mount_view;
use crate::bytes::visible;
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::path_index::Directories;
use crate::report::{Evidence, HolderKind};
use crate::resolve::Target;
use crate::snapshot::{BlockDevice, DeviceNumber, NamespaceKey, Pid, Placed, Snapshot, TableId};

pub(super) fn find(snapshot: &Snapshot, target: &Target, found: &mut Vec<Found>) {
    let inside = Inside::of(snapshot, target);
    let stack = stack(snapshot, target, &inside);
    let uses = Uses::of(snapshot, &stack);
    for Stacked { name, turn, evidence } in stack {
        let device = snapshot.devices.get(&name);
        let file = device.and_then(|d| d.backing_file.as_deref());
        let is_elsewhere = turn == 1 && file.is_some_and(|file| inside.is_elsewhere(file));
        let mut holder = stacked_holder(snapshot, name, device.and_then(|d| d.number), &uses);
        holder.evidence.push(evidence);
        holder.on_directory = is_elsewhere.then_some(false);
        holder.turn = -turn;
        found.push(holder);
    }
    swaps(snapshot, target, &inside, found);
}

fn swaps(snapshot: &Snapshot, target: &Target, inside: &Inside, found: &mut Vec<Found>) {
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
        let is_below = inside.busy.have(path);
        // Where one of several mounts at a path is meant, it is the one that the path leads to.
        let on_target = is_device || (is_below && target.uppermost.is_none()) || lies_on();
        if on_target {
            let mut holder = Found::new(HolderKind::Device, None);
            let is_elsewhere = !is_device && inside.is_elsewhere(path);
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

/// A device on top of the target's.
struct Stacked {
    name: Vec<u8>,
    /// How many devices it is above the target's.
    turn: i32,
    evidence: Evidence,
}

/// All of them, round by round: each finds what is stacked on the round before, down to the mount or swap that ends the
/// chain.
fn stack(snapshot: &Snapshot, target: &Target, inside: &Inside) -> Vec<Stacked> {
    // By the number that they have, or that what is behind them has.
    let devices = snapshot.devices.iter();
    let numbers = devices.flat_map(|(name, d)| {
        d.number.into_iter().chain(d.backing_device).chain(d.backing_node).map(move |n| (n, name))
    });
    let mut by_number: Vec<(DeviceNumber, &Vec<u8>)> = numbers.collect();
    order::sort(&mut by_number);
    let mut stack = Vec::new();
    let mut below: BTreeSet<DeviceNumber> = target.devices.clone();
    let mut seen: BTreeSet<Vec<u8>> = BTreeSet::new();
    for turn in 1.. {
        // A path tells a file on the target itself, only.
        let concerned: BTreeSet<&Vec<u8>> = match turn {
            1 => order::set(snapshot.devices.keys()),
            _ => order::set(below.iter().flat_map(|number| with_number(&by_number, *number))),
        };
        let mut round = stacked_on(snapshot, target, inside, concerned, &below);
        round.retain(|name, _| !seen.contains(name));
        if round.is_empty() {
            break;
        }
        below.clear();
        for (name, evidence) in round {
            seen.insert(name.clone());
            below.extend(snapshot.devices.get(&name).and_then(|d| d.number));
            stack.push(Stacked { name, turn, evidence });
        }
    }
    stack
}

fn with_number<'n>(
    by_number: &[(DeviceNumber, &'n Vec<u8>)],
    number: DeviceNumber,
) -> impl Iterator<Item = &'n Vec<u8>> {
    let from = by_number.partition_point(|(known, _)| *known < number);
    by_number.iter().skip(from).take_while(move |(known, _)| *known == number).map(|(_, name)| *name)
}

/// Of these devices the files, and what is stacked on them, where they are among those `below`.
fn stacked_on(
    snapshot: &Snapshot,
    target: &Target,
    inside: &Inside,
    devices: BTreeSet<&Vec<u8>>,
    below: &BTreeSet<DeviceNumber>,
) -> BTreeMap<Vec<u8>, Evidence> {
    let mut stacked = BTreeMap::new();
    for (name, device) in devices.into_iter().filter_map(|name| Some((name, snapshot.devices.get(name)?))) {
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
        if let Some(evidence) = loop_on(snapshot, target, inside, device, below) {
            stacked.insert(name.clone(), evidence);
        }
    }
    stacked
}

/// Where devices are mounted, and who has them open.
#[derive(Default)]
struct Uses<'s> {
    mounts: BTreeMap<DeviceNumber, Vec<(NamespaceKey, Placed<'s>)>>,
    openers: BTreeMap<DeviceNumber, BTreeSet<Pid>>,
}

impl<'s> Uses<'s> {
    fn of(snapshot: &'s Snapshot, stack: &[Stacked]) -> Self {
        let mut uses = Self::default();
        let devices = stack.iter().filter_map(|stacked| snapshot.devices.get(&stacked.name));
        let numbers: BTreeSet<DeviceNumber> = order::set(devices.filter_map(|device| device.number));
        if numbers.is_empty() {
            return uses;
        }
        let mut by_table: BTreeMap<TableId, Vec<Placed<'s>>> = BTreeMap::new();
        for placed in snapshot.mounts_where(&|mount| numbers.contains(&mount.device)) {
            by_table.entry(placed.id).or_default().push(placed);
        }
        for namespace in snapshot.namespaces.values() {
            for placed in namespace.tables.iter().filter_map(|table| by_table.get(table)).flatten() {
                let of_device = uses.mounts.entry(placed.mount.device).or_default();
                of_device.push((namespace.key, placed.clone()));
            }
        }
        for (pid, process) in &snapshot.processes {
            for link in &process.links {
                let node = link.node.filter(|_| link.is_block_device);
                for number in node.into_iter().chain(link.device).filter(|number| numbers.contains(number)) {
                    uses.openers.entry(number).or_default().insert(*pid);
                }
            }
        }
        uses
    }
}

/// Where the target's file system is, in the runtime's namespace.
struct Inside {
    /// The busy directory.
    busy: Directories,
    /// All mounts of it.
    mounted: Directories,
}

impl Inside {
    fn of(snapshot: &Snapshot, target: &Target) -> Self {
        let mounts = snapshot.daemon_tables().flat_map(|table| table.mounts());
        let points = mounts
            .filter(|(_, m)| target.devices.contains(&m.device))
            .map(|(_, m)| m.mount_point().into_owned());
        Self { busy: Directories::of(target.paths.iter().cloned()), mounted: Directories::of(points) }
    }

    /// Whether a file on the target's file system was opened through a mount of it at another path than the busy one.
    fn is_elsewhere(&self, file: &[u8]) -> bool {
        !self.busy.have(file) && self.mounted.have(file)
    }
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

/// A loop device on the target's device, or one whose file is on the target: by the file's device, or by its path where
/// that is not told.
fn loop_on(
    snapshot: &Snapshot,
    target: &Target,
    inside: &Inside,
    device: &BlockDevice,
    below: &BTreeSet<DeviceNumber>,
) -> Option<Evidence> {
    let file = device.backing_file.as_deref();
    let by_device = device.backing_device.into_iter().chain(device.backing_node).any(|d| below.contains(&d));
    let by_path =
        || file.is_some_and(|file| inside.busy.have(file) && !is_on_another(snapshot, target, device, file));
    (by_device || by_path()).then(|| device.evidence.clone()).flatten()
}

fn stacked_holder(
    snapshot: &Snapshot,
    name: Vec<u8>,
    number: Option<DeviceNumber>,
    uses: &Uses<'_>,
) -> Found {
    let mut holder = Found::new(HolderKind::Device, None);
    holder.has_object = true;
    let mut seen = BTreeSet::new();
    for (namespace, Placed { table, line, mount, .. }) in
        number.and_then(|n| uses.mounts.get(&n)).into_iter().flatten()
    {
        // One namespace seen from several roots shows the same mount several times.
        if seen.insert(mount.id) {
            holder.mounts.push(mount_view(table, *line, mount, format!("on {}", visible(&name))));
            holder.namespace.get_or_insert(*namespace);
        }
    }
    if let Some(namespace) = holder.namespace.and_then(|key| snapshot.namespaces.get(&key))
        && snapshot.host_namespace().map(|host| host.key) != Some(namespace.key)
    {
        holder.pids = namespace.pids.clone();
    }
    for pid in number.and_then(|n| uses.openers.get(&n)).into_iter().flatten() {
        holder.pids.insert(*pid);
        holder.namespace = holder.namespace.or(snapshot.namespace_of(*pid).map(|n| n.key));
    }
    holder.name_members(snapshot);
    holder.device = Some([b"/dev/", &name[..]].concat());
    holder
}
