//! Who holds what, by the kernel's rules, straight from the host as it is: no bundle, no parser, no cleverness.
//!
//! - A block device is busy while any namespace has it mounted, a process has a file on it or its node open, a device
//!   or swap is on top of it.
//! - A directory cannot be removed while a mount is on it in the caller's own namespace; while one is on it in another
//!   namespace, only where the kernel does not drop that one.
//! - Nothing else blocks; what else refers to the target holds space.
//! - An overlay cannot be mounted while its upper directory is in use by another, in any namespace.
//! - What has no container is told in [`others`].
//! - Where the runtime still has the mount itself, its own umount comes first: what that takes along holds nothing, and
//!   what keeps it from working blocks.

pub mod others;
mod views;

use super::plan::{Complaint, Storage};
use super::world::{Object, Subject, World, cgroup_of};
use crate::synth::{Mount, Mounts, Ns, Process};
use std::collections::{BTreeMap, BTreeSet};
use views::{Directory, directories, home, visible};

/// What a holder does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effect {
    /// It makes the operation fail.
    Blocking,
    /// It keeps space or a device.
    Holding,
}

/// The answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// Something blocks.
    Held,
    /// Nothing does.
    Free,
    /// The bundle cannot tell.
    Unknown,
}

/// A holder.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Holder {
    /// A mount namespace with mounts of the target: inode and processes. The host's own has no list of processes.
    Namespace(u64, Vec<u32>),
    /// Processes of one cgroup and namespace that only have files open.
    Files(Vec<u32>),
    /// A device on top of the target's, or swap.
    Device(String),
}

/// Everything that a report must say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Truth {
    /// The answer.
    pub status: Status,
    /// All holders.
    pub holders: BTreeMap<Holder, Effect>,
}

/// What is to be done with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Its device is removed.
    RemoveDevice,
    /// The directory that it was mounted on is removed.
    RemoveDirectory,
    /// An overlay with the same upper directory is mounted.
    MountAgain,
}

impl Operation {
    /// Whether a mount or an open file anywhere is in the way: a device has one user only, and so has an upper
    /// directory.
    fn wants_all_gone(self) -> bool {
        matches!(self, Self::RemoveDevice | Self::MountAgain)
    }
}

/// What a question about a container is about.
pub fn objects(world: &World, s: &Subject) -> Vec<(Object, Operation)> {
    use Operation::*;
    let root = |operation| (s.root.clone(), operation);
    let shm = || s.shm.clone().map(|shm| (shm, RemoveDirectory));
    match (s.complaint, world.plan.storage) {
        (Some(Complaint::Device), _) => vec![root(RemoveDevice)],
        (Some(Complaint::Root), _) => vec![root(RemoveDirectory)],
        (Some(Complaint::Shm), _) => shm().into_iter().collect(),
        (Some(Complaint::Overlay), _) => vec![root(MountAgain)],
        (Some(Complaint::Cgroup), _) => Vec::new(),
        // Removing the container removes all of it.
        (None, storage) => {
            let device = (storage == Storage::DeviceMapper).then(|| root(RemoveDevice));
            let directories = [home(s, &s.root)].into_iter().chain(s.shm.iter().map(|shm| home(s, shm)));
            let directories = directories.flatten().map(|home| (home, RemoveDirectory));
            shm().into_iter().chain([root(RemoveDirectory)]).chain(device).chain(directories).collect()
        }
    }
}

/// The truth about a container.
pub fn of(world: &World, s: &Subject, objects: &[(Object, Operation)]) -> Truth {
    if s.complaint == Some(Complaint::Cgroup) {
        return others::cgroup(world, &s.container.id);
    }
    let directories = objects.iter().map(|(object, _)| (object.path.as_str(), directories(world, object)));
    let reference = Reference { world, s, objects, directories: directories.collect() };
    let mut holders: BTreeMap<Holder, Effect> = BTreeMap::new();
    let mut add = |holder: Holder, effect: Effect| {
        let known = holders.entry(holder).or_insert(effect);
        *known = effect.min(*known);
    };
    for ns in world.host.namespaces() {
        if let Some(effect) = reference.effect_of_namespace(ns) {
            add(namespace(world, ns), effect);
        }
    }
    for (pids, effect) in reference.files() {
        add(Holder::Files(pids), effect);
    }
    for device in reference.devices() {
        add(Holder::Device(device), Effect::Blocking);
    }
    let status = reference.status(&holders);
    Truth { status, holders }
}

/// Whether no bundle can tell which number some namespace has: processes came from one that none is in any more, or
/// from one copy to another, and their links and tables fit in more than one way.
pub fn may_lack_numbers(world: &World) -> bool {
    let host = &world.host;
    let stayed =
        |ns: Ns| host.processes.values().any(|p| p.ns == ns && p.came_from.is_none() && p.root == "/");
    let moved = host.processes.values().filter_map(|p| Some((p.came_from?, p.ns)));
    moved.into_iter().any(|(from, to)| !stayed(from) || !stayed(to) || (from != host.ns && to != host.ns))
}

fn processes(world: &World, ns: Ns) -> Vec<&Process> {
    world.host.processes.values().filter(|p| p.ns == ns && p.is_alive()).collect()
}

fn namespace(world: &World, ns: Ns) -> Holder {
    let host = &world.host;
    let pids: Vec<u32> = match processes(world, ns) {
        _ if ns == host.ns => Vec::new(),
        none if none.is_empty() => {
            let words =
                host.kept.get(&ns).into_iter().flatten().map(|line| line.split(' ').collect::<Vec<_>>());
            words.filter(|w| w[0] == "fd").filter_map(|w| w.get(1)?.parse().ok()).collect()
        }
        some => some.iter().map(|p| p.pid).collect(),
    };
    Holder::Namespace(host.inode_of(ns), pids)
}

struct Reference<'w> {
    world: &'w World,
    s: &'w Subject,
    objects: &'w [(Object, Operation)],
    /// What is to be removed, by its path.
    directories: BTreeMap<&'w str, BTreeSet<Directory>>,
}

impl Reference<'_> {
    fn visible(&self, ns: Ns) -> Vec<&Mount> {
        visible(self.world, ns)
    }

    fn processes(&self, ns: Ns) -> Vec<&Process> {
        processes(self.world, ns)
    }

    fn shows(&self, ns: Ns, object: &Object) -> Vec<&Mount> {
        if !self.is_known(object) {
            return Vec::new();
        }
        self.visible(ns).into_iter().filter(|m| object.is_shown_by(m)).collect()
    }

    /// Whether a bundle can tell whose file system it is: docker's names carry the layer's id; of any other one only
    /// a mount on the directory itself tells, or one at its path, from the container's id on.
    fn is_known(&self, object: &Object) -> bool {
        let is_named = object == &self.s.root && self.world.plan.storage != Storage::Containerd;
        let from_id =
            object.path.find(&self.s.container.id).map_or(object.path.as_str(), |at| &object.path[at - 1..]);
        let is_at = |m: &Mount| m.mount_point == object.path || m.mount_point.ends_with(from_id);
        let tells = |m: &Mount| object.is_shown_by(m) && (is_named || is_at(m) || self.is_on(m, object));
        let mut namespaces = self.world.host.namespaces().into_iter();
        self.world.is_active(object) || namespaces.any(|ns| self.visible(ns).into_iter().any(tells))
    }

    /// Whether something that is told by the device number alone is about this object.
    fn is_current(&self, object: &Object) -> bool {
        self.is_known(object) && (object.device.0 == 0 || self.world.is_active(object))
    }

    fn is_on(&self, mount: &Mount, object: &Object) -> bool {
        let directory = self.world.host.mounts.directory(mount);
        directory.is_some_and(|directory| self.directories[object.path.as_str()].contains(&directory))
    }

    fn drops_foreign(&self) -> bool {
        self.world.plan.kernel.2
    }

    /// The container's own processes are in the namespace.
    fn is_own(&self, ns: Ns) -> bool {
        let cgroup = cgroup_of(self.world.plan.storage, &self.s.container.id);
        self.processes(ns).iter().any(|p| p.cgroup == cgroup)
    }

    fn effect_of_namespace(&self, ns: Ns) -> Option<Effect> {
        let is_concerned = |(object, operation): &(Object, Operation)| {
            let is_covered_directory = || self.visible(ns).into_iter().any(|m| self.is_on(m, object));
            !self.shows(ns, object).is_empty()
                || (*operation == Operation::RemoveDirectory && is_covered_directory())
        };
        if !self.objects.iter().any(is_concerned) {
            return self.has_another_mount(ns).then_some(Effect::Holding);
        }
        if self.is_own(ns) && ns != self.world.host.ns && ns != self.world.daemon {
            return Some(Effect::Blocking);
        }
        let is_daemons = ns == self.world.daemon;
        if is_daemons && self.s.running && self.s.complaint.is_none() {
            return Some(Effect::Holding);
        }
        let blocks = self.mounts_block(&self.world.host.mounts, ns);
        if blocks && !is_daemons && self.goes_with_the_daemons(ns) {
            return Some(Effect::Holding);
        }
        Some(if blocks { Effect::Blocking } else { Effect::Holding })
    }

    /// The rules of the module's head for one namespace.
    fn mounts_block(&self, mounts: &Mounts, ns: Ns) -> bool {
        let is_daemons = ns == self.world.daemon;
        let visible: BTreeSet<u32> = self.visible(ns).iter().map(|m| m.id).collect();
        self.objects.iter().any(|(object, operation)| {
            let directories = &self.directories[object.path.as_str()];
            let is_on = |m: &Mount| mounts.directory(m).is_some_and(|d| directories.contains(&d));
            let mut table = mounts.table(ns).filter(|m| visible.contains(&m.id));
            match operation {
                Operation::RemoveDevice | Operation::MountAgain => table.any(|m| object.is_shown_by(m)),
                // Whatever is on the directory: it may be what covered the object, which is gone.
                Operation::RemoveDirectory => table.any(is_on) && (is_daemons || !self.drops_foreign()),
            }
        })
    }

    /// Another mount of the same container, not the one that is asked for.
    fn has_another_mount(&self, ns: Ns) -> bool {
        let ids = [&self.s.container.id, &self.s.container.layer];
        let is_root = |m: &Mount| self.is_known(&self.s.root) && self.s.root.is_shown_by(m);
        let has_id =
            |m: &Mount| m.mount_point.split('/').any(|part| ids.iter().any(|id| part == id.as_str()));
        self.visible(ns).into_iter().any(|m| has_id(m) || (m.fs.fs_type == "overlay" && is_root(m)))
    }

    /// Whether the runtime's own umount, which is still to come, takes this namespace's mounts along: tried out. A
    /// process in a chroot does not see what they are mounted on, and then nobody can tell.
    fn goes_with_the_daemons(&self, ns: Ns) -> bool {
        let visible: BTreeSet<u32> = self.visible(ns).iter().map(|m| m.id).collect();
        let is_on_unseen = |m: &&Mount| m.mount_point != "/" && !visible.contains(&m.parent);
        let shown = self.objects.iter().flat_map(|(object, _)| self.shows(ns, object));
        if self.has_files(ns) || shown.filter(is_on_unseen).count() > 0 {
            return false;
        }
        let mut after = self.world.host.mounts.clone();
        for (object, _) in self.objects {
            let still = after.at(self.world.daemon, &object.path).is_some_and(|m| object.is_shown_by(m));
            if still {
                after.umount(self.world.daemon, &object.path);
            }
        }
        !self.mounts_block(&after, ns)
    }

    /// Whether a process has a file of one of the objects open: of any, or of those that must be quite gone.
    fn refers(&self, process: &Process, only_all_gone: bool) -> bool {
        let objects = self
            .objects
            .iter()
            .filter(|(object, done)| (!only_all_gone || done.wants_all_gone()) && self.is_current(object));
        let objects: Vec<_> = objects.collect();
        process.links.iter().any(|link| {
            objects.iter().any(|(object, _)| {
                link.device == object.device || (object.device.0 != 0 && link.node == Some(object.device))
            })
        })
    }

    /// A file on the file system, not just the device's node.
    fn has_file_on(&self, process: &Process) -> bool {
        process.links.iter().any(|link| {
            self.objects.iter().any(|(object, _)| self.is_current(object) && link.device == object.device)
        })
    }

    fn has_files(&self, ns: Ns) -> bool {
        self.processes(ns).iter().any(|p| self.refers(p, false))
    }

    /// Processes with open files, one group for each namespace and cgroup. Those in a namespace that holds the
    /// target anyway are that holder's; in the host's and the daemon's they are holders of their own.
    fn files(&self) -> Vec<(Vec<u32>, Effect)> {
        let (host, daemon) = (self.world.host.ns, self.world.daemon);
        let mut groups: BTreeMap<(Ns, &str), Vec<u32>> = BTreeMap::new();
        for process in self.world.host.processes.values().filter(|p| p.is_alive() && self.refers(p, false)) {
            let shown = self.objects.iter().any(|(object, _)| !self.shows(process.ns, object).is_empty());
            if !shown || process.ns == host || process.ns == daemon {
                groups.entry((process.ns, &process.cgroup)).or_default().push(process.pid);
            }
        }
        // Files in use keep the runtime's own umount from working, and the mount stays on the directory.
        let still_mounted = self
            .objects
            .iter()
            .any(|(object, _)| self.shows(daemon, object).iter().any(|m| self.is_on(m, object)));
        groups
            .into_iter()
            .map(|((ns, _), pids)| {
                let processes = || pids.iter().map(|pid| &self.world.host.processes[pid]);
                let device = processes().any(|p| self.refers(p, true));
                let on_file_system = processes().any(|p| self.has_file_on(p));
                let blocks = device || (ns == daemon && still_mounted && on_file_system);
                (pids, if blocks { Effect::Blocking } else { Effect::Holding })
            })
            .collect()
    }

    /// Devices on top, however deep, and swap.
    fn devices(&self) -> BTreeSet<String> {
        let host = &self.world.host;
        let mut below: BTreeSet<(u32, u32)> = self
            .objects
            .iter()
            .filter(|(object, _)| self.is_current(object))
            .map(|(object, _)| object.device)
            .collect();
        let swaps = host.files.get("proc/swaps").map(|s| String::from_utf8_lossy(s).into_owned());
        let mut found = BTreeSet::new();
        for (name, block) in &host.blocks {
            let on_target = below.contains(&block.device) && block.device.0 != 0;
            if on_target && swaps.iter().any(|s| s.contains(&format!("/dev/{name} "))) {
                found.insert(format!("swap on /dev/{name}"));
            }
        }
        // A swap file is on the mount that its path leads to.
        for path in swaps.iter().flat_map(|s| s.lines()).filter_map(|line| line.split(' ').next()) {
            let is_file = path.starts_with('/') && !path.starts_with("/dev/");
            if is_file && below.contains(&host.mounts.covering(host.ns, path).fs.device) {
                found.insert(format!("swap on {path}"));
            }
        }
        loop {
            let before = found.len();
            for (name, block) in &host.blocks {
                let on_file = block.backing.is_some_and(|(device, _)| below.contains(&device));
                let stacked = block
                    .slaves
                    .iter()
                    .any(|s| host.blocks.get(s).is_some_and(|b| below.contains(&b.device)));
                if (on_file || stacked) && found.insert(format!("/dev/{name}")) {
                    below.insert(block.device);
                }
            }
            if found.len() == before {
                return found;
            }
        }
    }

    /// Whether a file is open on a file system that no table shows any more: it may be the overlay whose upper
    /// directory is wanted.
    fn may_be_in_use_unseen(&self) -> bool {
        let namespaces = self.world.host.namespaces();
        let is_shown = |id: u32| namespaces.iter().any(|ns| self.visible(*ns).iter().any(|m| m.id == id));
        let processes = self.world.host.processes.values().filter(|p| p.is_alive());
        let anonymous = processes.flat_map(|p| &p.links).filter(|link| link.device.0 == 0);
        let mut open = anonymous.filter_map(|link| link.mount);
        self.objects.iter().any(|(_, done)| *done == Operation::MountAgain) && open.any(|id| !is_shown(id))
    }

    fn status(&self, holders: &BTreeMap<Holder, Effect>) -> Status {
        if holders.values().any(|effect| *effect == Effect::Blocking) {
            return Status::Held;
        }
        // The kernel counts an opener and nothing that can be seen is one: something is hidden.
        let namespaces = self.world.host.namespaces();
        let is_unexplained = self.objects.iter().any(|(object, _)| {
            let is_shown =
                namespaces.iter().any(|ns| !self.shows(*ns, object).is_empty() || self.has_files(*ns));
            self.world.is_active(object) && self.world.host.is_open(object.device) && !is_shown
        });
        if is_unexplained || self.may_be_in_use_unseen() {
            return Status::Unknown;
        }
        Status::Free
    }
}
