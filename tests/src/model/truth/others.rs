//! What is no file system of a container.
//!
//! - A cgroup cannot be removed while a process that is no zombie is in it (kernel doc cgroup-v2.rst).
//! - A mount cannot be unmounted while another one is inside, while something refers to it, or to a copy that it would
//!   take along (`propagate_mount_busy` in fs/pnode.c); a copy with a mount inside stays, and is not asked, but one that
//!   is covered as a whole goes, and is.
//! - A name of a network namespace is a file that is mounted on: as a directory.

use super::{Effect, Holder, Operation, Status, Truth};
use crate::model::places::Place;
use crate::model::plan::Complaint;
use crate::model::world::{Object, Subject, World, cgroup_of};
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

/// Who keeps a place's directory, or a named network namespace's file; `None` on a host without a container.
pub fn directory(world: &World, place: &Place) -> Option<Truth> {
    // No container's: somebody complains of it, and nothing runs in it.
    let nobody = world.subjects.first()?;
    let mut container = nobody.container.clone();
    (container.id, container.layer) = ("none".into(), "none".into());
    let root = place.object.clone();
    let complaint = Some(Complaint::Root);
    let s = Subject { container, root, shm: None, running: false, crashed: false, complaint };
    Some(super::of(world, &s, &[(place.object.clone(), Operation::RemoveDirectory)]))
}

/// Who keeps what is at a path from being unmounted by somebody in the host's namespace. What is below at the same path
/// is another one's.
pub fn umount(world: &World, object: &Object) -> Truth {
    let umount = Umount { world, object };
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
    object: &'w Object,
}

impl Umount<'_> {
    /// The mounts of a namespace that show the file system, as far as a bundle has them.
    fn shown(&self, ns: Ns) -> Vec<&Mount> {
        super::visible(self.world, ns).into_iter().filter(|m| self.object.is_shown_by(m)).collect()
    }

    /// The mount that is to be unmounted.
    fn own(&self) -> u32 {
        self.world.host.mounts.at(self.world.host.ns, &self.object.path).map_or(0, |m| m.id)
    }

    fn has_inside(&self, id: u32) -> bool {
        self.on(id).next().is_some()
    }

    /// What is mounted inside of a mount or over it.
    fn on(&self, id: u32) -> impl Iterator<Item = &Mount> {
        let namespaces = self.world.host.namespaces().into_iter();
        namespaces.flat_map(|ns| self.world.host.mounts.table(ns)).filter(move |m| m.parent == id)
    }

    fn is_covered_only(&self, mount: &Mount) -> bool {
        self.on(mount.id).all(|m| m.mount_point == mount.mount_point)
    }

    /// The mount itself, and the copies that go with it and must not be in use: tried out.
    fn must_be_unused(&self) -> BTreeSet<u32> {
        let mut after = self.world.host.mounts.clone();
        after.umount(self.world.host.ns, &self.object.path);
        let mut ids = BTreeSet::from([self.own()]);
        for ns in self.world.host.namespaces() {
            let gone = self.shown(ns).into_iter().filter(|m| after.table(ns).all(|left| left.id != m.id));
            ids.extend(gone.filter(|m| self.is_covered_only(m)).map(|m| m.id));
        }
        ids
    }

    /// Whether a process has a file on a mount that must be unused. Of a mapping only the file system is told: it
    /// may be on any of the mounts in its namespace.
    fn uses(&self, process: &Process) -> bool {
        let unused = self.must_be_unused();
        process.links.iter().filter(|link| link.device == self.object.device).any(|link| {
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
        let device = self.object.device;
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

    /// Loop devices and swap files. Their paths tell through which mount of the file system they were opened, where that
    /// is still there; of a swap file only the path is told.
    fn devices(&self) -> Vec<(Holder, Effect)> {
        let host = &self.world.host;
        let on_it = |device: (u32, u32)| device == self.object.device;
        let backed = host
            .blocks
            .iter()
            .filter_map(|(name, block)| Some((name, block.backing?, block.backing_file.as_ref()?)));
        let loops = backed.filter(|(_, (device, _), _)| on_it(*device));
        let loops = loops.map(|(name, _, file)| (format!("/dev/{name}"), file.clone()));
        let swaps = host.files.get("proc/swaps").map(|s| String::from_utf8_lossy(s).into_owned());
        let swaps = swaps.iter().flat_map(|text| text.lines()).filter_map(|line| line.split(' ').next());
        let files = swaps.filter(|path| path.starts_with("/mnt/"));
        let files = files.filter(|path| on_it(host.mounts.covering(host.ns, path).fs.device));
        let files = files.map(|path| (format!("swap on {path}"), path.to_owned()));
        let is_in = |path: &str, file: &str| file.starts_with(&format!("{path}/"));
        let effect = |file: &str| {
            let mut others = host.mounts.table(host.ns).filter(|m| on_it(m.fs.device));
            let is_elsewhere = !is_in(&self.object.path, file) && others.any(|m| is_in(&m.mount_point, file));
            if is_elsewhere { Effect::Holding } else { Effect::Blocking }
        };
        let holders = loops.chain(files).collect::<Vec<_>>();
        holders.into_iter().map(|(device, file)| (Holder::Device(device), effect(&file))).collect()
    }
}
