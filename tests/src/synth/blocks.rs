//! Block devices as `/sys/block` shows them.

use super::Host;

/// A block device.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Major and minor number.
    pub device: (u32, u32),
    /// Size in sectors of 512 bytes.
    pub sectors: u64,
    /// Device-mapper name and uuid.
    pub device_mapper: Option<(String, String)>,
    /// True where the collector asked for the open count of a device-mapper device.
    pub counted: bool,
    /// Backing file of a loop device.
    pub backing_file: Option<String>,
    /// Device and inode of the backing file.
    pub backing: Option<((u32, u32), u64)>,
    /// The device that a loop device is on, where that is no file.
    pub backing_node: Option<(u32, u32)>,
    /// Names of devices on top of this one.
    pub holders: Vec<String>,
    /// Names of devices below this one.
    pub slaves: Vec<String>,
}

impl Block {
    /// A device-mapper device.
    pub fn device_mapper(device: (u32, u32), name: &str, uuid: &str) -> Self {
        let device_mapper = Some((name.into(), uuid.into()));
        Self { device, sectors: 20_971_520, device_mapper, ..Self::default() }
    }

    /// A loop device on a file that lies on the file system `backing`.
    pub fn on_file(device: (u32, u32), file: &str, backing: (u32, u32)) -> Self {
        let backing = Some((backing, super::inode(file)));
        Self { device, sectors: 204_800, backing_file: Some(file.into()), backing, ..Self::default() }
    }

    /// A loop device on the device `node`, opened by a path.
    pub fn on_device(device: (u32, u32), path: &str, node: (u32, u32)) -> Self {
        // Of the node's own file system, devtmpfs.
        Self { backing_node: Some(node), ..Self::on_file(device, path, (0, 5)) }
    }
}

impl Host {
    /// Adds a block device.
    pub fn block_device(&mut self, name: &str, block: Block) {
        self.blocks.insert(name.into(), block);
    }

    /// True where something has a device mounted, open, or a file on it open, or where a device is on top of it:
    /// the file system is one opener.
    pub fn is_open(&self, device: (u32, u32)) -> bool {
        let mounted = |ns| self.mounts.table(ns).any(|mount| mount.fs.device == device);
        let mut links = self.processes.values().flat_map(|process| &process.links);
        let mut blocks = self.blocks.values();
        self.namespaces().into_iter().any(mounted)
            || links.any(|link| link.device == device || link.node == Some(device))
            || blocks.any(|b| {
                let on_top = b.device == device && !b.holders.is_empty();
                on_top
                    || b.backing.is_some_and(|(backing, _)| backing == device)
                    || b.backing_node == Some(device)
            })
    }

    /// Puts the device `upper` on top of `lower`.
    pub fn stack(&mut self, lower: &str, upper: &str) {
        self.blocks.entry(lower.into()).or_default().holders.push(upper.into());
        self.blocks.entry(upper.into()).or_default().slaves.push(lower.into());
    }
}
