//! Which mounts of containers are left over: the container is over, or the runtime no longer has the mount, or
//! the namespace is neither the runtime's nor the container's own and no umount reaches it.

use std::collections::BTreeSet;

use super::lanes::{Home, Lane, Line, each_mount};
use super::objects::{Classifier, Object, is_runtime_network};
use super::owners::{self, Life, Owners};
use super::{Leftover, LeftoverKind, effect, open_devices};
use crate::bytes::visible;
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::report::Effect;
use crate::snapshot::{DeviceNumber, NamespaceInode, NamespaceKey, PeerGroups, Pid, Placed, Snapshot};

/// Something that is left over, in as few bytes as tell it: a large host has a million of them, of which few are shown.
/// [`Survey::leftover`] puts it into words.
#[derive(Debug, Clone)]
pub(crate) struct Finding {
    /// The namespace at fault.
    pub(crate) namespace: NamespaceKey,
    pub(crate) kind: LeftoverKind,
    pub(crate) effect: Effect,
    pub(super) device: DeviceNumber,
    pub(super) is_running: bool,
    pub(super) what: What,
}

/// What keeps it.
#[derive(Debug, Clone)]
pub(super) enum What {
    Mount(Line, Whose),
    /// Open files, which are few.
    Files(Box<Leftover>),
}

/// In whose namespace a mount is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// The runtime's, which mounts and unmounts there.
    Runtimes,
    /// Another one; `at_home` where the runtime's has it, too.
    Foreign { at_home: bool },
}

/// What was found, and what was looked at.
pub(crate) struct Survey<'s> {
    pub(super) snapshot: &'s Snapshot,
    pub(super) classifier: Classifier,
    pub(super) owners: Owners<'s>,
    pub(super) found: Vec<Finding>,
    pub(super) looked: Looked,
}

/// Counts for the sentences that an empty census rests on.
#[derive(Debug, Default)]
pub(super) struct Looked {
    pub(super) mounts: usize,
    pub(super) candidates: usize,
    pub(super) belong: usize,
    pub(super) follow: usize,
    pub(super) thin_devices: usize,
}

struct Surveyor<'s> {
    snapshot: &'s Snapshot,
    owners: Owners<'s>,
    groups: &'s PeerGroups,
    homes: Vec<Home<'s>>,
    host_network: Option<NamespaceInode>,
    looked: Looked,
    found: Vec<Finding>,
}

pub(super) fn survey(snapshot: &Snapshot) -> Survey<'_> {
    let classifier = Classifier::of(snapshot);
    let homes = [snapshot.host_namespace(), snapshot.daemon_namespace()];
    let homes: BTreeSet<NamespaceKey> = order::set(homes.into_iter().flatten().map(|n| n.key));
    let others = || snapshot.namespaces.keys().copied().filter(|key| !homes.contains(key));
    let mut owners = Owners::of(snapshot);
    homes.iter().for_each(|key| note_tasks(snapshot, *key, &mut owners));
    others().for_each(|key| note_users(snapshot, key, &mut owners));
    let mut surveyor = Surveyor {
        snapshot,
        owners,
        groups: snapshot.peer_groups(),
        homes: homes.iter().map(|key| Home::of(snapshot, &classifier, *key)).collect(),
        host_network: snapshot.recorded.network_namespaces.get(&Pid(1)).copied(),
        looked: Looked::default(),
        found: Vec::new(),
    };
    let mut mounted = BTreeSet::new();
    let homes = std::mem::take(&mut surveyor.homes);
    for home in &homes {
        mounted.extend(home.lane.objects.iter().map(|(placed, _)| placed.mount.device));
        surveyor.own(&home.lane);
    }
    surveyor.homes = homes;
    for key in others() {
        let lane = Lane::of(snapshot, &classifier, key);
        mounted.extend(lane.objects.iter().map(|(placed, _)| placed.mount.device));
        surveyor.foreign(&lane);
    }
    let Surveyor { owners, mut looked, mut found, .. } = surveyor;
    looked.thin_devices = classifier.thin_devices().count();
    found.extend(open_devices::find(snapshot, &classifier, &owners, &mounted));
    Survey { snapshot, classifier, owners, found, looked }
}

/// Notes which file systems the container of a namespace uses.
fn note_users(snapshot: &Snapshot, key: NamespaceKey, owners: &mut Owners<'_>) {
    let own = owners::members(snapshot, key).first().copied();
    each_mount(snapshot, key, &mut |Placed { mount, .. }| {
        if let (Some(container), b"/" | b"/dev/shm") = (own, mount.raw_mount_point)
            && mount.fs_type != b"btrfs"
        {
            owners.note_use(mount.device, container);
        }
        note_task(&mount, owners);
    });
}

/// In the host's namespace there are containers' processes only by accident: only tasks are noted.
fn note_tasks(snapshot: &Snapshot, key: NamespaceKey, owners: &mut Owners<'_>) {
    each_mount(snapshot, key, &mut |Placed { mount, .. }| note_task(&mount, owners));
}

fn note_task(mount: &Mount<'_>, owners: &mut Owners<'_>) {
    let task = mount.super_option(b"upperdir").and_then(|_| task_of(mount));
    if let Some((snapshot, task)) = task {
        owners.note_task(&snapshot, &task);
    }
}

impl<'s> Surveyor<'s> {
    /// Leftovers in a namespace in which the runtime mounts and unmounts: what is there of a container that is over.
    fn own(&mut self, lane: &Lane<'s>) {
        self.look_at(lane);
        for (placed, object) in &lane.objects {
            let mount = &placed.mount;
            let (_, life) = self.owners.owner(object, mount.device);
            let is_over = match object.kind {
                LeftoverKind::PodVolume => self.is_orphaned(object),
                LeftoverKind::NetworkNamespace => self.is_empty_sandbox(object, mount),
                _ => life.is_over(),
            };
            if is_over {
                self.found.push(self.finding(lane.key, placed, object, &life, Whose::Runtimes));
            } else {
                self.looked.belong += 1;
            }
        }
    }

    /// Leftovers in a namespace that is neither host's nor daemon's.
    fn foreign(&mut self, lane: &Lane<'s>) {
        self.look_at(lane);
        let members = owners::members(self.snapshot, lane.key);
        let nested = owners::is_nested_runtime(self.snapshot, lane.key);
        for (placed, object) in &lane.objects {
            let mount = &placed.mount;
            let (container, life) = self.owners.owner(object, mount.device);
            let is_its_own = container.is_some_and(|id| members.contains(id));
            let at_home = self.homes.iter().any(|home| home.has(mount));
            if is_its_own || self.belongs(lane, object, mount, at_home, nested, &life) {
                self.looked.belong += 1;
            } else if at_home && self.follows(lane, mount) {
                self.looked.follow += 1;
            } else {
                let whose = Whose::Foreign { at_home };
                self.found.push(self.finding(lane.key, placed, object, &life, whose));
            }
        }
    }

    fn look_at(&mut self, lane: &Lane<'s>) {
        self.looked.mounts += lane.mounts;
        self.looked.candidates += lane.objects.len();
    }

    fn finding(
        &self,
        namespace: NamespaceKey,
        placed: &Placed<'s>,
        object: &Object,
        life: &Life,
        whose: Whose,
    ) -> Finding {
        let (kind, own, alive) = (object.kind, whose == Whose::Runtimes, *life == Life::Alive);
        let (effect, _) = effect::of_mount(self.snapshot, kind, &placed.mount, own, alive);
        let what = What::Mount((placed.id, placed.line), whose);
        Finding { namespace, kind, effect, device: placed.mount.device, is_running: alive, what }
    }

    fn belongs(
        &self,
        lane: &Lane<'s>,
        object: &Object,
        mount: &Mount<'_>,
        at_home: bool,
        nested: bool,
        life: &Life,
    ) -> bool {
        match object.kind {
            LeftoverKind::NetworkNamespace => {
                // A copy of the host's own keeps nothing; a namespace that only this program knows is its own business.
                let point = mount.mount_point();
                object.network == self.host_network
                    || point.ends_with(b"/netns/default")
                    || (!at_home && (nested || !is_runtime_network(&point)))
                    || self.is_inside(lane, object)
            }
            // A pod's containers have its volumes at other paths; a volume below kubelet's is a copy.
            LeftoverKind::PodVolume => !at_home && nested,
            _ => nested && !at_home && !life.is_over(),
        }
    }

    /// Whether a process of the namespace is in that network namespace.
    fn is_inside(&self, lane: &Lane<'s>, object: &Object) -> bool {
        let pids = self.snapshot.namespaces.get(&lane.key).into_iter().flat_map(|n| &n.pids);
        let networks = &self.snapshot.recorded.network_namespaces;
        object.network.is_some() && pids.into_iter().any(|p| networks.get(p).copied() == object.network)
    }

    /// A file in the host that pins a network namespace: left over once no process is in it.
    fn is_empty_sandbox(&self, object: &Object, mount: &Mount<'_>) -> bool {
        let networks = &self.snapshot.recorded.network_namespaces;
        let known = self.host_network.is_some() && self.snapshot.facts.privileged != Some(false);
        let point = mount.mount_point();
        let parts: Vec<&[u8]> = crate::bytes::components(&point).collect();
        let is_pin = match parts[..] {
            [.., b"docker", b"netns", _] => is_runtime_network(&point),
            // CNI's are kept by the pod's sandbox, which may be a virtual machine without a process of its own.
            [.., b"netns", _] => !self.has_machines(),
            _ => false,
        };
        known && is_pin && object.network.is_some_and(|n| networks.values().all(|inside| *inside != n))
    }

    fn has_machines(&self) -> bool {
        self.snapshot.processes.values().any(|p| {
            let name = p.executable();
            name.starts_with(b"qemu")
                || matches!(name, b"firecracker" | b"cloud-hypervisor" | b"kata-runtime")
        })
    }

    /// A pod's volume in the host: left over once nothing of the pod lives, where the bundle tells of cgroups.
    fn is_orphaned(&self, object: &Object) -> bool {
        let mut processes = self.snapshot.processes.values();
        let known = processes.any(|p| p.membership.evidence().is_some()) && self.snapshot.facts.complete;
        known && !self.snapshot.pod_is_alive(&object.id)
    }

    /// Whether the runtime's umount reaches the copy (see `holders::following`): the parents decide.
    fn follows(&self, lane: &Lane<'s>, copy: &Mount<'_>) -> bool {
        let Some(parent) = lane.parent(copy) else { return false };
        self.homes.iter().any(|home| {
            home.same(copy).iter().any(|original| {
                home.lane.parent(original).is_some_and(|own_parent| {
                    self.groups
                        .unmounts((&own_parent, &original.mount_point()), (&parent, &copy.mount_point()))
                })
            })
        })
    }
}

/// The containerd snapshot behind a task's root file system.
fn task_of(mount: &Mount<'_>) -> Option<(String, String)> {
    let upper = mount.super_option(b"upperdir")?;
    let point = mount.mount_point();
    let upper: Vec<&[u8]> = crate::bytes::components(&upper).collect();
    let point: Vec<&[u8]> = crate::bytes::components(&point).collect();
    match (&upper[..], &point[..]) {
        ([.., b"snapshots", number, b"fs"], [.., b"io.containerd.runtime.v2.task", _, task, b"rootfs"]) => {
            Some((format!("snapshot {}", visible(number)), visible(task)))
        }
        _ => None,
    }
}
