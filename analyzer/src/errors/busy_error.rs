//! A busy error of a log, and what kind of object it is about.

use crate::evidence::Evidence;
use serde::{Deserialize, Serialize};

/// One kind of busy error with how often it was seen. The first fields are those of `ebusy errors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BusyError {
    /// The container that could not be removed, started or stopped: full id where the log or the bundle has it.
    pub container_id: Option<String>,
    /// Other ids of the line: layer, device, pod, short forms.
    pub other_ids: Vec<String>,
    /// Busy path.
    pub path: Option<String>,
    /// Busy device or dataset.
    pub device: Option<String>,
    /// Storage driver or kind of object: `devicemapper`, `overlay2`, `shm`, `cgroup`, `netns`, `zfs`, …
    pub driver: Option<String>,
    /// Who wrote the line: `docker`, `podman`, `containerd`, `kubelet`, …
    pub runtime: Option<String>,
    /// The line as it first stood in the log, without its line end.
    pub line: String,
    /// How often.
    pub count: u32,
    /// First time seen: RFC 3339 UTC where the line tells enough, else as it stands in the log.
    pub first: Option<String>,
    /// Last time seen.
    pub last: Option<String>,
    /// Name of a container where the line gives one, or the bundle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// What kind of object was busy.
    #[serde(default)]
    pub busy: BusyKind,
    /// Log file in the bundle and line of the first one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<Evidence>,
    /// What others said of the same failure at the same time: the client beside the daemon, the shim beside both.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub wordings: Vec<BusyError>,
}

impl BusyError {
    /// The error and its other wordings.
    pub fn all(&self) -> impl Iterator<Item = &Self> {
        std::iter::once(self).chain(&self.wordings)
    }

    /// Whether the line names a container, path, device or any other id.
    pub fn names_something(&self) -> bool {
        self.container_id.is_some()
            || self.path.is_some()
            || self.device.is_some()
            || self.name.is_some()
            || !self.other_ids.is_empty()
    }
}

/// What kind of object was busy; the kernel's rules differ for each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum BusyKind {
    /// A directory that is or was a mount point, at `rmdir`, `unlinkat` or `rename`.
    Directory,
    /// A block device: device-mapper, LV, loop, rbd, md, zvol.
    Device,
    /// A zfs dataset or btrfs subvolume.
    Dataset,
    /// A mounted file system at `umount`.
    Umount,
    /// An overlay at `mount`: its upper or work directory is in use.
    OverlayMount,
    /// A file that pins a namespace, such as `/run/netns/NAME`.
    NamespaceFile,
    /// A cgroup directory.
    Cgroup,
    /// A file that is itself a mount point.
    File,
    /// Nothing said which.
    #[default]
    Unknown,
}
