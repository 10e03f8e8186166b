//! Numbers that must not be mixed up.

use std::fmt;

/// Pid on the host.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(pub u32);

/// Mount id, unique over all mount namespaces of a running kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MountId(pub u32);

/// Inode number of a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NamespaceInode(pub u64);

/// Peer group of shared mounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerGroup(pub u32);

/// Device number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeviceNumber {
    /// Major.
    pub major: u32,
    /// Minor.
    pub minor: u32,
}

impl DeviceNumber {
    /// Where a listing does not tell: no file system has 0:0 (kernel `get_anon_bdev` begins at minor 1).
    pub const UNKNOWN: Self = Self { major: 0, minor: 0 };

    /// From the kernel's user-space encoding (`new_encode_dev`, glibc `gnu_dev_major`).
    ///
    /// ```
    /// use ebusy_analyzer::ids::DeviceNumber;
    ///
    /// let device = DeviceNumber::from_dev_t(0xfd03);
    /// assert_eq!((device.major, device.minor), (253, 3));
    /// assert_eq!(device.to_string(), "253:3");
    /// ```
    pub fn from_dev_t(dev: u64) -> Self {
        let major = ((dev >> 8) & 0xfff) | ((dev >> 32) & 0xffff_f000);
        let minor = (dev & 0xff) | ((dev >> 12) & 0xffff_ff00);
        Self { major: (major & u64::from(u32::MAX)) as u32, minor: (minor & u64::from(u32::MAX)) as u32 }
    }

    /// Major 0 stands for file systems without a block device: each superblock has a number of its own.
    pub fn is_anonymous(self) -> bool {
        self.major == 0
    }
}

impl fmt::Display for DeviceNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.major, self.minor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dev_t_is_split_as_the_kernel_packs_it() {
        assert_eq!(DeviceNumber::from_dev_t(0xfd01), DeviceNumber { major: 253, minor: 1 });
        assert_eq!(DeviceNumber::from_dev_t(0x12300845), DeviceNumber { major: 8, minor: 0x12345 });
    }
}
