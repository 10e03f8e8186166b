//! Whose an object is and whether that container still lives.

use std::collections::{BTreeMap, BTreeSet};

use super::LeftoverKind;
use super::objects::Object;
use crate::order;
use crate::snapshot::{Container, DeviceNumber, NamespaceKey, Pid, Snapshot};

/// Whether a container still needs what is mounted for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Life {
    /// It has processes, is paused or about to start.
    Alive,
    /// The runtime knows it, in this state.
    Ended(String),
    /// The runtime's list does not have it.
    Gone,
    /// No process of it is left and its root file system is mounted nowhere, whatever an earlier list says.
    Deserted,
    /// The bundle has no list of containers.
    Unknown,
}

impl Life {
    pub(super) fn is_over(&self) -> bool {
        matches!(self, Self::Ended(_) | Self::Gone | Self::Deserted)
    }
}

/// Finds the container of an object.
#[derive(Debug)]
pub(super) struct Owners<'s> {
    snapshot: &'s Snapshot,
    by_layer: BTreeMap<&'s str, &'s str>,
    /// File systems that live containers see as their own root or `/dev/shm`.
    in_use: BTreeMap<DeviceNumber, String>,
    /// containerd's snapshots, by the task whose root file system they are.
    tasks: BTreeMap<String, String>,
    /// Whether every mount namespace that a process or a pin leads to has a table.
    all_tables_read: bool,
}

impl<'s> Owners<'s> {
    pub(super) fn of(snapshot: &'s Snapshot) -> Self {
        let layers =
            |(id, c): (&'s String, &'s Container)| c.layers.keys().map(move |l| (l.as_str(), id.as_str()));
        let by_layer = order::map(snapshot.containers.iter().flat_map(layers));
        let all_tables_read = snapshot.unseen_processes() == 0 && crate::holders::unread(snapshot).is_empty();
        Self { snapshot, by_layer, in_use: BTreeMap::new(), tasks: BTreeMap::new(), all_tables_read }
    }

    /// Notes what a live container uses at `/` and `/dev/shm`.
    pub(super) fn note_use(&mut self, device: DeviceNumber, container: &str) {
        self.in_use.entry(device).or_insert_with(|| container.to_owned());
    }

    /// Notes that a containerd snapshot is the root of a task.
    pub(super) fn note_task(&mut self, snapshot: &str, task: &str) {
        self.tasks.insert(snapshot.to_owned(), task.to_owned());
    }

    /// The container and its life. Pod volumes and network namespaces name no container.
    pub(super) fn owner<'a>(&'a self, object: &'a Object, device: DeviceNumber) -> (Option<&'a str>, Life) {
        if matches!(object.kind, LeftoverKind::PodVolume | LeftoverKind::NetworkNamespace) {
            return (None, Life::Unknown);
        }
        // tmpfs and overlay have a device number each, thin devices too; btrfs has one for all.
        let user = self.in_use.get(&device).filter(|_| object.kind != LeftoverKind::Secrets);
        let known = self.snapshot.containers.contains_key(&object.id).then_some(object.id.as_str());
        let task = self.tasks.get(&object.id).map(String::as_str);
        // Each containerd counts its snapshots from 1, one inside a container too: who uses it knows better.
        let by_layer = self.by_layer.get(object.id.as_str()).copied();
        let by_layer = by_layer.filter(|_| user.is_none() || !object.id.starts_with("snapshot "));
        let id = known.or(by_layer).or(task);
        match (id, user) {
            (Some(id), Some(user)) if id == user => (Some(id), Life::Alive),
            (None, Some(user)) => (Some(user), Life::Alive),
            (Some(id), user) => match self.life(id) {
                // Another live container shares this one's memory: it is in use all the same.
                _ if user.is_some() && object.kind == LeftoverKind::Shm => (Some(id), Life::Alive),
                life => (Some(id), life),
            },
            (None, None) if self.snapshot.recorded.has_container_list => (None, Life::Gone),
            (None, None) => (None, Life::Unknown),
        }
    }

    /// The same of a root file system that no mount table has: no container can run without one, and a list that
    /// calls it running was taken earlier.
    pub(super) fn owner_of_unmounted<'a>(
        &'a self,
        object: &'a Object,
        device: DeviceNumber,
    ) -> (Option<&'a str>, Life) {
        let (id, life) = self.owner(object, device);
        let has_processes = id
            .and_then(|id| self.snapshot.containers.get(id))
            .is_some_and(|c| c.pids.iter().any(|p| is_alive(self.snapshot, *p)));
        match life {
            Life::Alive | Life::Unknown if !has_processes && self.all_tables_read => (id, Life::Deserted),
            life => (id, life),
        }
    }

    fn life(&self, id: &str) -> Life {
        let Some(container) = self.snapshot.containers.get(id) else {
            return if self.snapshot.recorded.has_container_list { Life::Gone } else { Life::Unknown };
        };
        if container.pids.iter().any(|p| is_alive(self.snapshot, *p)) {
            return Life::Alive;
        }
        match container.record.state.as_deref() {
            Some("running" | "paused" | "restarting" | "created" | "starting" | "pausing") => Life::Alive,
            Some(state) => Life::Ended(state.to_owned()),
            // Listed without a state, as podman's storage lists: only who is in no list is gone.
            None if self.snapshot.recorded.has_container_list && container.record.runtime.is_none() => {
                Life::Gone
            }
            None => Life::Unknown,
        }
    }
}

pub(super) fn is_alive(snapshot: &Snapshot, pid: Pid) -> bool {
    snapshot.processes.get(&pid).is_some_and(crate::snapshot::Process::is_alive)
}

/// The containers that have live processes in a namespace.
pub(super) fn members(snapshot: &Snapshot, key: NamespaceKey) -> BTreeSet<&str> {
    let pids = snapshot.namespaces.get(&key).into_iter().flat_map(|n| &n.pids);
    let live = pids.filter(|p| is_alive(snapshot, **p)).filter_map(|p| snapshot.processes.get(p));
    order::set(live.filter_map(|p| p.membership.container.as_deref()))
}

/// Namespaces in which a runtime of its own mounts for its containers: rootless ones, and daemons that are in
/// a container themselves.
pub(super) fn is_nested_runtime(snapshot: &Snapshot, key: NamespaceKey) -> bool {
    const ROOTLESS: [&[u8]; 7] =
        [b"podman", b"podman pause", b"conmon", b"catatonit", b"rootlesskit", b"buildkitd", b"buildah"];
    const DAEMONS: [&[u8]; 4] = [b"dockerd", b"containerd", b"crio", b"k3s-server"];
    let pids = snapshot.namespaces.get(&key).into_iter().flat_map(|n| &n.pids);
    pids.filter_map(|p| snapshot.processes.get(p)).any(|p| {
        let named = |names: &[&[u8]]| names.contains(&&p.comm[..]) || names.contains(&p.executable());
        named(&ROOTLESS) || (p.membership.container.is_some() && named(&DAEMONS))
    })
}
