//! The lanes of the picture.

use super::{Effect, MountView, ProcessView};
use serde::{Deserialize, Serialize};

/// A lane of the picture: one mount namespace and the target's mount in it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct NamespaceView {
    /// What this namespace is.
    pub role: NamespaceRole,
    /// Inode number, where known.
    pub inode: Option<u64>,
    /// Short label: `host`, `dockerd`, `httpd.service`, `container cadvisor`.
    pub label: String,
    /// How many processes are in it.
    pub process_count: u32,
    /// A few of them, lowest pid first.
    pub processes: Vec<ProcessView>,
    /// The target's mounts in it.
    pub mounts: Vec<MountView>,
    /// The mount below which the target's mount would be (its parent), with its propagation.
    pub parent_mount: Option<MountView>,
    /// Effect of this namespace; `None` where it does not hold the target.
    pub effect: Option<Effect>,
    /// Why mounts and umounts do or do not reach this namespace, one sentence.
    pub propagation: String,
}

/// Roles in the picture.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum NamespaceRole {
    /// pid 1's.
    #[default]
    Host,
    /// The container daemon's, where it differs from the host's.
    Daemon,
    /// One that holds the target.
    Holder,
}
