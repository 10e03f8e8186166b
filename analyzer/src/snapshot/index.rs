//! What is asked for again and again, found once: a host may have a hundred thousand namespaces and devices.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    DeviceNumber, MountNamespace, NamespaceInode, NamespaceKey, NamespacePin, Pid, PinnedBy, Snapshot,
};
use crate::order;

/// Gathered when it is first asked for, when the snapshot is whole.
#[derive(Debug, Default)]
pub(super) struct Index {
    namespaces: BTreeMap<Pid, NamespaceKey>,
    /// Kernel names.
    devices: BTreeMap<DeviceNumber, Vec<u8>>,
    /// Names of the device mapper where there is no `/sys/block`.
    mapped: BTreeMap<DeviceNumber, Vec<u8>>,
}

impl Index {
    fn of(snapshot: &Snapshot) -> Self {
        let mut index = Self::default();
        for (key, namespace) in &snapshot.namespaces {
            for pid in &namespace.pids {
                index.namespaces.entry(*pid).or_insert(*key);
            }
        }
        for (name, device) in &snapshot.devices {
            if let Some(number) = device.number {
                index.devices.entry(number).or_insert_with(|| name.clone());
            }
        }
        for (name, (number, _)) in &snapshot.dm_names {
            index.mapped.entry(*number).or_insert_with(|| name.clone());
        }
        index
    }
}

impl Snapshot {
    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(self))
    }

    /// Namespace of a process.
    pub fn namespace_of(&self, pid: Pid) -> Option<&MountNamespace> {
        self.namespaces.get(self.index().namespaces.get(&pid)?)
    }

    /// Kernel name of the device with a number (`dm-1`).
    pub fn kernel_name(&self, number: DeviceNumber) -> Option<&[u8]> {
        self.index().devices.get(&number).map(Vec::as_slice)
    }

    /// Name of a device for people: `/dev/mapper/NAME`, `/dev/loop0`.
    pub fn device_path(&self, number: DeviceNumber) -> Option<Vec<u8>> {
        let mapped = |name: &[u8]| [b"/dev/mapper/", name].concat();
        let Some(name) = self.kernel_name(number) else {
            return self.index().mapped.get(&number).map(|name| mapped(name));
        };
        let dm_name = self.devices.get(name)?.dm_name.as_deref();
        Some(dm_name.map_or_else(|| [b"/dev/", name].concat(), mapped))
    }

    /// What keeps a mount namespace beside its processes.
    pub fn pins_of(&self, inode: NamespaceInode) -> &[NamespacePin] {
        // In the order of kind and number, see `Builder::check_tables`.
        let key = |pin: &NamespacePin| (&pin.kind[..], pin.inode) < (&b"mnt"[..], inode);
        let from = self.pins.partition_point(key);
        let rest = self.pins.get(from..).unwrap_or_default();
        let length = rest.partition_point(|pin| pin.kind == b"mnt" && pin.inode == inode);
        rest.get(..length).unwrap_or_default()
    }

    /// Processes that keep a mount namespace by a descriptor.
    pub(crate) fn keepers(&self, namespace: NamespaceKey) -> BTreeSet<Pid> {
        let NamespaceKey::Inode(inode) = namespace else { return BTreeSet::new() };
        order::set(self.pins_of(inode).iter().filter_map(|pin| match pin.by {
            PinnedBy::Descriptor(pid, _) => Some(pid),
            _ => None,
        }))
    }
}
