//! Which mounts of containers are left over: the container is over, or the runtime no longer has the mount, or
//! the namespace is neither the runtime's nor the container's own and no umount reaches it.

use std::collections::{BTreeSet, HashMap};

use super::describe::{container_evidence, container_ref, noun, over, pinned, state_word, why_foreign};
use super::objects::{Classifier, Object, is_runtime_network};
use super::owners::{self, Life, Owners};
use super::{Leftover, LeftoverKind, effect, open_devices};
use crate::bytes::visible;
use crate::holders::mount_view;
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::snapshot::{MountId, MountTable, NamespaceInode, NamespaceKey, PeerGroups, Pid, Snapshot};

/// What was found, each with the namespace at fault, and what was looked at.
pub(super) struct Survey {
    pub(super) found: Vec<(NamespaceKey, Leftover)>,
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

/// One namespace's mounts, each once, with those that are a container's.
struct Lane<'s> {
    key: NamespaceKey,
    mounts: Vec<(&'s MountTable, u32, Mount<'s>)>,
    by_id: HashMap<MountId, usize>,
    objects: Vec<(usize, Object)>,
}

impl<'s> Lane<'s> {
    fn of(snapshot: &'s Snapshot, classifier: &Classifier, key: NamespaceKey) -> Self {
        let mut lane = Self { key, mounts: Vec::new(), by_id: HashMap::new(), objects: Vec::new() };
        let tables = snapshot.namespaces.get(&key).into_iter().flat_map(|n| &n.tables);
        for table in tables.filter_map(|t| snapshot.table(*t)) {
            for (line, mount) in table.mounts() {
                // One namespace seen from several roots shows the same mount several times.
                if lane.by_id.contains_key(&mount.id) {
                    continue;
                }
                let at = lane.mounts.len();
                lane.by_id.insert(mount.id, at);
                lane.objects.extend(classifier.object(&mount).map(|object| (at, object)));
                lane.mounts.push((table, line, mount));
            }
        }
        lane
    }

    fn parent(&self, mount: &Mount<'_>) -> Option<&Mount<'s>> {
        let at = self.by_id.get(&mount.parent).filter(|_| mount.parent != mount.id)?;
        self.mounts.get(*at).map(|(_, _, parent)| parent)
    }

    /// The same file system, or the same part of it.
    fn same(&self, mount: &Mount<'_>) -> impl Iterator<Item = &Mount<'s>> {
        let (device, root) = (mount.device, mount.raw_root);
        self.mounts.iter().map(|(_, _, m)| m).filter(move |m| m.device == device && m.raw_root == root)
    }
}

struct Surveyor<'s> {
    snapshot: &'s Snapshot,
    owners: Owners<'s>,
    groups: PeerGroups,
    homes: Vec<Lane<'s>>,
    host_network: Option<NamespaceInode>,
    looked: Looked,
}

pub(super) fn survey(snapshot: &Snapshot) -> Survey {
    let classifier = Classifier::of(snapshot);
    let homes = [snapshot.host_namespace(), snapshot.daemon_namespace()];
    let home_keys: BTreeSet<NamespaceKey> = order::set(homes.into_iter().flatten().map(|n| n.key));
    let mut surveyor = Surveyor {
        snapshot,
        owners: Owners::of(snapshot),
        groups: PeerGroups::of(snapshot),
        homes: home_keys.iter().map(|key| Lane::of(snapshot, &classifier, *key)).collect(),
        host_network: snapshot.recorded.network_namespaces.get(&Pid(1)).copied(),
        looked: Looked::default(),
    };
    let others: Vec<Lane<'_>> = snapshot
        .namespaces
        .keys()
        .filter(|key| !home_keys.contains(key))
        .map(|key| Lane::of(snapshot, &classifier, *key))
        .collect();
    surveyor.note_users(&others);
    let mut found = Vec::new();
    for lane in surveyor.homes.iter().chain(&others) {
        surveyor.looked.mounts += lane.mounts.len();
        surveyor.looked.candidates += lane.objects.len();
    }
    let mut mounted = BTreeSet::new();
    let homes = std::mem::take(&mut surveyor.homes);
    for lane in &homes {
        mounted.extend(lane.objects.iter().map(|(at, _)| lane.mounts[*at].2.device));
        found.extend(surveyor.own(lane).into_iter().map(|l| (lane.key, l)));
    }
    surveyor.homes = homes;
    for lane in &others {
        mounted.extend(lane.objects.iter().map(|(at, _)| lane.mounts[*at].2.device));
        found.extend(surveyor.foreign(lane).into_iter().map(|l| (lane.key, l)));
    }
    let open = open_devices::find(snapshot, &classifier, &surveyor.owners, &mounted);
    surveyor.looked.thin_devices = classifier.thin_devices().count();
    found.extend(open);
    Survey { found, looked: surveyor.looked }
}

impl<'s> Surveyor<'s> {
    fn note_users(&mut self, others: &[Lane<'s>]) {
        for lane in self.homes.iter().chain(others) {
            let members = owners::members(self.snapshot, lane.key);
            // In the host's namespace there are containers' processes only by accident.
            let own = members.first().filter(|_| !self.homes.iter().any(|h| h.key == lane.key));
            for (_, _, mount) in &lane.mounts {
                let point = mount.raw_mount_point;
                if let (Some(container), b"/" | b"/dev/shm") = (own, point)
                    && mount.fs_type != b"btrfs"
                {
                    self.owners.note_use(mount.device, container);
                }
                let task = mount.super_option(b"upperdir").and_then(|_| task_of(mount));
                if let Some((snapshot, task)) = task {
                    self.owners.note_task(&snapshot, &task);
                }
            }
        }
    }

    /// Leftovers in a namespace in which the runtime mounts and unmounts: what is there of a container that is over.
    fn own(&mut self, lane: &Lane<'s>) -> Vec<Leftover> {
        let mut found = Vec::new();
        for (at, object) in &lane.objects {
            let (table, line, mount) = &lane.mounts[*at];
            let (container, life) = self.owners.owner(object, mount.device);
            let is_over = match object.kind {
                LeftoverKind::PodVolume => self.is_orphaned(object),
                LeftoverKind::NetworkNamespace => self.is_empty_sandbox(object, mount),
                _ => life.is_over(),
            };
            if !is_over {
                self.looked.belong += 1;
                continue;
            }
            let why = match object.kind {
                LeftoverKind::PodVolume => {
                    "No process and no container of this pod is left, but its volume is still mounted: kubelet calls the pod orphaned.".to_owned()
                }
                LeftoverKind::NetworkNamespace if is_runtime_network(&mount.mount_point()) => {
                    "No process is in this network namespace any more, and the file that pins it is still there.".to_owned()
                }
                LeftoverKind::NetworkNamespace => {
                    "No process is in this network namespace, only its file keeps it. Whoever made it (`ip netns add`) may still want it; `ip netns del` ends it.".to_owned()
                }
                _ => format!("{} is still mounted in the runtime's own namespace, though {}.", noun(object.kind), over(&life)),
            };
            found.push(self.leftover(lane, (table, *line, mount), object, container, &life, why, true));
        }
        found
    }

    /// Leftovers in a namespace that is neither host's nor daemon's.
    fn foreign(&mut self, lane: &Lane<'s>) -> Vec<Leftover> {
        let members = owners::members(self.snapshot, lane.key);
        let nested = owners::is_nested_runtime(self.snapshot, lane.key);
        let mut found = Vec::new();
        for (at, object) in &lane.objects {
            let (table, line, mount) = &lane.mounts[*at];
            let (container, life) = self.owners.owner(object, mount.device);
            let is_its_own = container.is_some_and(|id| members.contains(id));
            let at_home = self.homes.iter().any(|home| home.same(mount).next().is_some());
            if is_its_own || self.belongs(lane, object, mount, at_home, nested, &life) {
                self.looked.belong += 1;
                continue;
            }
            if at_home && self.follows(lane, mount) {
                self.looked.follow += 1;
                continue;
            }
            let why = why_foreign(object.kind, at_home, &life);
            found.push(self.leftover(lane, (table, *line, mount), object, container, &life, why, false));
        }
        found
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
            home.same(copy).any(|original| {
                home.parent(original).is_some_and(|own_parent| {
                    self.groups.unmounts((own_parent, &original.mount_point()), (parent, &copy.mount_point()))
                })
            })
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one place puts a leftover together")]
    fn leftover(
        &self,
        lane: &Lane<'s>,
        (table, line, mount): (&MountTable, u32, &Mount<'_>),
        object: &Object,
        container: Option<&str>,
        life: &Life,
        why: String,
        own: bool,
    ) -> Leftover {
        let (effect, effect_reason) =
            effect::of_mount(self.snapshot, object.kind, mount, own, *life == Life::Alive);
        let device =
            (object.kind != LeftoverKind::NetworkNamespace).then(|| pinned(self.snapshot, mount.device));
        let view = mount_view(table, line, mount, format!("{} {}", noun(object.kind), object.id));
        let mut evidence = vec![view.evidence.clone()];
        evidence.extend(container_evidence(self.snapshot, object, container));
        Leftover {
            kind: object.kind,
            object: object.id.clone(),
            mount_namespace: self.snapshot.namespaces.get(&lane.key).and_then(|n| n.inode()),
            container: container.map(|id| container_ref(self.snapshot, id)),
            container_state: state_word(life),
            why,
            effect,
            effect_reason,
            device,
            mount: Some(view),
            open_files: Vec::new(),
            evidence,
        }
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
