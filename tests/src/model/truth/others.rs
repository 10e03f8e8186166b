//! What is no file system of a container.
//!
//! - A cgroup cannot be removed while a process that is no zombie is in it (kernel doc cgroup-v2.rst).
//! - A mount cannot be unmounted while another one is inside, while something refers to it, or to a copy that it would
//!   take along (`propagate_mount_busy` in fs/pnode.c); a copy with a mount inside stays, and is not asked.
//! - A name of a network namespace is a file that is mounted on: as a directory.

use super::{Effect, Holder, Operation, Status, Truth};
use crate::model::places::Place;
use crate::model::plan::Complaint;
use crate::model::world::{Subject, World, cgroup_of};
use crate::synth::{Mount, Ns, Process};
use std::collections::{BTreeMap, BTreeSet};

/// Who is in a container's cgroup.
pub fn cgroup(world: &World, id: &str) -> Truth {
    let cgroup = cgroup_of(world.plan.storage, id);
    let members = world.host.processes.values().filter(|p| p.cgroup == cgroup && p.is_alive());
    let members: Vec<&Process> = members.collect();
    let holder = |first: &Process| {
        let pids = members.iter().map(|p| p.pid).collect();
        Holder::Namespace(world.host.inode_of(first.ns), pids)
    };
    answer(members.first().map(|first| (holder(first), Effect::Blocking)).into_iter().collect())
}

/// Who keeps a named network namespace's file.
pub fn name(world: &World, place: &Place) -> Truth {
    // No container's: somebody complains of it, and nothing runs in it.
    let nobody = world.subjects.first().expect("every plan begins with a container");
    let mut container = nobody.container.clone();
    (container.id, container.layer) = ("none".into(), "none".into());
    let root = place.object.clone();
    let complaint = Some(Complaint::Root);
    let s = Subject { container, root, shm: None, running: false, crashed: false, complaint };
    super::of(world, &s, &[(place.object.clone(), Operation::RemoveDirectory)])
}

/// Who keeps a file system from being unmounted by somebody in the host's namespace.
pub fn umount(world: &World, place: &Place) -> Truth {
    let umount = Umount { world, place };
    let mut holders: BTreeMap<Holder, Effect> = BTreeMap::new();
    for ns in world.host.namespaces() {
        holders.extend(umount.namespace(ns));
    }
    holders.extend(umount.files());
    holders.extend(umount.devices());
    answer(holders)
}

fn answer(holders: BTreeMap<Holder, Effect>) -> Truth {
    let is_held = holders.values().any(|effect| *effect == Effect::Blocking);
    Truth { status: if is_held { Status::Held } else { Status::Free }, holders }
}

struct Umount<'w> {
    world: &'w World,
    place: &'w Place,
}

impl Umount<'_> {
    /// The mounts of a namespace that show the file system, as far as a bundle has them.
    fn shown(&self, ns: Ns) -> Vec<&Mount> {
        super::visible(self.world, ns).into_iter().filter(|m| self.place.object.is_shown_by(m)).collect()
    }

    /// The mount that is to be unmounted.
    fn own(&self) -> u32 {
        self.world.host.mounts.at(self.world.host.ns, &self.place.object.path).map_or(0, |m| m.id)
    }

    fn has_inside(&self, id: u32) -> bool {
        let namespaces = self.world.host.namespaces();
        namespaces.into_iter().any(|ns| self.world.host.mounts.table(ns).any(|m| m.parent == id))
    }

    /// The mount itself, and the copies that go with it and must not be in use: tried out.
    fn must_be_unused(&self) -> BTreeSet<u32> {
        let mut after = self.world.host.mounts.clone();
        after.umount(self.world.host.ns, &self.place.object.path);
        let mut ids = BTreeSet::from([self.own()]);
        for ns in self.world.host.namespaces() {
            let gone = self.shown(ns).into_iter().filter(|m| after.table(ns).all(|left| left.id != m.id));
            ids.extend(gone.map(|m| m.id).filter(|id| *id == self.own() || !self.has_inside(*id)));
        }
        ids
    }

    /// Whether a process has a file on a mount that must be unused. Of a mapping only the file system is told: it
    /// may be on any of the mounts in its namespace.
    fn uses(&self, process: &Process) -> bool {
        let unused = self.must_be_unused();
        process.links.iter().filter(|link| link.device == self.place.object.device).any(|link| {
            let known = self.shown(process.ns).into_iter().any(|m| unused.contains(&m.id));
            link.mount.map_or(known, |id| unused.contains(&id))
        })
    }

    fn processes(&self) -> impl Iterator<Item = &Process> {
        self.world.host.processes.values().filter(|p| p.is_alive())
    }

    fn namespace(&self, ns: Ns) -> Option<(Holder, Effect)> {
        let host = &self.world.host;
        if self.shown(ns).is_empty() {
            return None;
        }
        let blocks = match ns == host.ns {
            true => self.has_inside(self.own()),
            false => self.processes().any(|p| p.ns == ns && self.uses(p)),
        };
        let effect = if blocks { Effect::Blocking } else { Effect::Holding };
        Some((super::namespace(self.world, ns), effect))
    }

    /// Processes with files on it. In a namespace that has it mounted, too, they are that holder's.
    fn files(&self) -> Vec<(Holder, Effect)> {
        let device = self.place.object.device;
        let mut groups: BTreeMap<(Ns, &str), Vec<&Process>> = BTreeMap::new();
        for process in self.processes().filter(|p| p.links.iter().any(|link| link.device == device)) {
            if process.ns == self.world.host.ns || self.shown(process.ns).is_empty() {
                groups.entry((process.ns, &process.cgroup)).or_default().push(process);
            }
        }
        let holder = |group: Vec<&Process>| {
            let blocks = group.iter().any(|process| self.uses(process));
            let pids = group.iter().map(|process| process.pid).collect();
            (Holder::Files(pids), if blocks { Effect::Blocking } else { Effect::Holding })
        };
        groups.into_values().map(holder).collect()
    }

    /// Loop devices and swap files, which were opened by their path on the host.
    fn devices(&self) -> Vec<(Holder, Effect)> {
        let host = &self.world.host;
        let inside = format!("{}/", self.place.object.path);
        let loops = host
            .blocks
            .iter()
            .filter(|(_, block)| block.backing_file.as_ref().is_some_and(|file| file.starts_with(&inside)));
        let loops = loops.map(|(name, _)| format!("/dev/{name}"));
        let swaps = host.files.get("proc/swaps").map(|s| String::from_utf8_lossy(s).into_owned());
        let swaps: Vec<String> = swaps
            .iter()
            .flat_map(|text| text.lines())
            .filter(|line| line.starts_with(&inside))
            .map(|line| format!("swap on {}", line.split(' ').next().unwrap_or_default()))
            .collect();
        loops.chain(swaps).map(|device| (Holder::Device(device), Effect::Blocking)).collect()
    }
}
