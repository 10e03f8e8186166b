//! What is asked for again and again, found once: a host may have a hundred thousand namespaces and devices.

use std::collections::BTreeSet;

use super::{
    DeviceNumber, MountNamespace, NamespaceInode, NamespaceKey, NamespacePin, Pid, PinnedBy, Snapshot,
};
use crate::order;

/// Gathered when it is first asked for, when the snapshot is whole.
#[derive(Debug, Default)]
pub(super) struct Index {
    namespaces: Vec<(Pid, NamespaceKey)>,
    /// Kernel names.
    devices: Vec<(DeviceNumber, Vec<u8>)>,
    /// Names of the device mapper where there is no `/sys/block`.
    mapped: Vec<(DeviceNumber, Vec<u8>)>,
}

/// What belongs to a key in sorted pairs; of several the first.
fn of_key<'i, K: Ord, V>(pairs: &'i [(K, V)], key: &K) -> Option<&'i V> {
    let (found, value) = pairs.get(pairs.partition_point(|(known, _)| known < key))?;
    (found == key).then_some(value)
}

impl Index {
    fn of(snapshot: &Snapshot) -> Self {
        let namespaces = snapshot.namespaces.iter();
        let devices = snapshot.devices.iter();
        let mapped = snapshot.dm_names.iter();
        let mut index = Self {
            namespaces: namespaces.flat_map(|(key, n)| n.pids.iter().map(|pid| (*pid, *key))).collect(),
            devices: devices.filter_map(|(name, device)| Some((device.number?, name.clone()))).collect(),
            mapped: mapped.map(|(name, (number, _))| (*number, name.clone())).collect(),
        };
        order::sort(&mut index.namespaces);
        order::sort(&mut index.devices);
        order::sort(&mut index.mapped);
        index
    }
}

impl Snapshot {
    fn index(&self) -> &Index {
        self.index.get_or_init(|| Index::of(self))
    }

    /// Namespace of a process.
    pub fn namespace_of(&self, pid: Pid) -> Option<&MountNamespace> {
        self.namespaces.get(of_key(&self.index().namespaces, &pid)?)
    }

    /// Kernel name of the device with a number (`dm-1`).
    pub fn kernel_name(&self, number: DeviceNumber) -> Option<&[u8]> {
        of_key(&self.index().devices, &number).map(Vec::as_slice)
    }

    /// Name of a device for people: `/dev/mapper/NAME`, `/dev/loop0`.
    pub fn device_path(&self, number: DeviceNumber) -> Option<Vec<u8>> {
        let mapped = |name: &[u8]| [b"/dev/mapper/", name].concat();
        let Some(name) = self.kernel_name(number) else {
            return of_key(&self.index().mapped, &number).map(|name| mapped(name));
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
