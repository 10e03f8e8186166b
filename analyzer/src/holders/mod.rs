//! Target → holders: every mount namespace, process and device that keeps a reference to it.

mod cgroup_members;
mod directory;
mod effect;
mod following;
mod matching;
mod mounts;
mod references;
mod stacked_devices;
mod umount;
mod unread_namespaces;

use crate::order;
use std::collections::BTreeSet;

use crate::report::{ContainerRef, Effect, Evidence, HolderKind, MountView, OpenFile};
use crate::resolve::Target;
use crate::snapshot::{NamespaceKey, Pid, Snapshot};

pub(crate) use effect::{foreign_mount, target_is_running};
pub(crate) use following::runtime_place;
pub(crate) use matching::mount_view;
pub(crate) use unread_namespaces::{open_count, unread};

/// A holder as found, before its cause is named.
#[derive(Debug, Clone)]
pub struct Found {
    /// What it is.
    pub kind: HolderKind,
    /// Its mount namespace.
    pub namespace: Option<NamespaceKey>,
    /// Whether that is the namespace in which the daemon itself mounts and unmounts.
    pub is_daemons: bool,
    /// Whether its processes are those of the target container itself.
    pub is_target: bool,
    /// Processes that count.
    pub pids: BTreeSet<Pid>,
    /// Unit that all of them are in.
    pub unit: Option<String>,
    /// Container that they are in.
    pub container: Option<ContainerRef>,
    /// Mounts of the target.
    pub mounts: Vec<MountView>,
    /// Whether a mount of it is the busy object itself, not another one of the same container.
    pub has_object: bool,
    /// Ids of those that are the busy object itself.
    pub object_mounts: BTreeSet<u32>,
    /// Ids of those of a block device, which no other file system of the target has.
    pub block_mounts: BTreeSet<u32>,
    /// Whether it has the block device of the target mounted or open, and not only another file system of it.
    pub on_block_device: bool,
    /// Whether one of these lies on the busy directory, and not elsewhere; `None` where that cannot be told.
    pub on_directory: Option<bool>,
    /// Ids of those that may lie on it.
    pub directory_mounts: BTreeSet<u32>,
    /// Whether an open file is on the file system itself: a device node that is open keeps no mount.
    pub keeps_mounted: bool,
    /// Open files on the target.
    pub open_files: Vec<OpenFile>,
    /// Evidence beyond mounts and open files.
    pub evidence: Vec<Evidence>,
    /// What it does, and why.
    pub effect: Effect,
    /// Why it has that effect.
    pub effect_reason: String,
    /// Name of the stacked device, for [`HolderKind::Device`].
    pub device: Option<Vec<u8>>,
    /// When it has to go if several block: lower first, the top of a stack before what it is on, the runtime's own
    /// mount last.
    pub turn: i32,
}

impl Found {
    fn new(kind: HolderKind, namespace: Option<NamespaceKey>) -> Self {
        Self {
            kind,
            namespace,
            is_daemons: false,
            is_target: false,
            pids: BTreeSet::new(),
            unit: None,
            container: None,
            mounts: Vec::new(),
            has_object: false,
            object_mounts: BTreeSet::new(),
            block_mounts: BTreeSet::new(),
            on_block_device: false,
            on_directory: None,
            directory_mounts: BTreeSet::new(),
            keeps_mounted: false,
            open_files: Vec::new(),
            evidence: Vec::new(),
            effect: Effect::Holding,
            effect_reason: String::new(),
            device: None,
            turn: 0,
        }
    }

    /// Its name for a sentence.
    pub(crate) fn name(&self, snapshot: &Snapshot) -> String {
        if let Some(container) = &self.container {
            return format!(
                "Container {}",
                container.name.as_deref().unwrap_or(crate::resolve::short(&container.id))
            );
        }
        let first = self.pids.first().and_then(|pid| Some((pid.0, snapshot.processes.get(pid)?.name())));
        match (first, &self.unit, self.pids.len()) {
            (Some((pid, name)), Some(unit), 1) => format!("{name} (pid {pid}) of {unit}"),
            (Some((pid, name)), Some(unit), n) => format!("{name} (pid {pid} and {} more) of {unit}", n - 1),
            (Some((pid, name)), None, 1) => format!("{name} (pid {pid})"),
            (Some((pid, name)), None, n) => format!("{name} (pid {pid} and {} more)", n - 1),
            (None, _, _) => match (self.kind, &self.device) {
                (HolderKind::Device, Some(device)) => crate::bytes::visible(device),
                (HolderKind::Pinned, _) => "A mount namespace without a process".to_owned(),
                (HolderKind::Host, _) => "The host's own mount namespace".to_owned(),
                (HolderKind::Daemon, _) => "The daemon's own mount namespace".to_owned(),
                _ => "A mount namespace".to_owned(),
            },
        }
    }

    /// Fills unit and container with what all its processes have in common.
    fn name_members(&mut self, snapshot: &Snapshot) {
        let members = || self.pids.iter().filter_map(|p| snapshot.processes.get(p)).map(|p| &p.membership);
        let units = order::set(members().map(|m| m.unit.clone()));
        let containers = order::set(members().map(|m| m.container.clone()));
        if let [Some(id)] = &containers.iter().collect::<Vec<_>>()[..] {
            let record = snapshot.containers.get(id).map(|c| &c.record);
            self.container = Some(ContainerRef {
                id: id.clone(),
                name: record.and_then(|r| r.name.clone()),
                image: record.and_then(|r| r.image.clone()),
            });
        } else if let [Some(unit)] = &units.iter().collect::<Vec<_>>()[..] {
            self.unit = Some(crate::bytes::visible(unit));
        }
    }
}

/// Finds all holders and judges what each does; blocking ones first.
pub fn find(snapshot: &Snapshot, target: &Target) -> Vec<Found> {
    let mut found = mounts::find(snapshot, target);
    references::find(snapshot, target, &mut found);
    stacked_devices::find(snapshot, target, &mut found);
    cgroup_members::find(snapshot, target, &mut found);
    unread_namespaces::find(snapshot, target, &mut found);
    for holder in &mut found {
        effect::judge(snapshot, target, holder);
    }
    let own_mount_blocks = found.iter().any(|h| h.is_daemons && !h.directory_mounts.is_empty());
    effect::judge_references(target, &mut found, own_mount_blocks);
    following::judge(snapshot, target, &mut found);
    for own in found.iter_mut().filter(|h| h.is_daemons && h.kind != HolderKind::OpenFile) {
        own.turn = 1;
    }
    order::sort_by_key(&mut found, |h| {
        (h.effect, h.turn, h.namespace, h.pids.first().copied(), h.device.clone())
    });
    found
}
