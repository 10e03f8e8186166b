//! What is busy, by all its names.

use crate::errors::BusyKind;
use crate::evidence::Evidence;
use serde::{Deserialize, Serialize};

/// What is busy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Target {
    /// What was asked for: the id, name, path or device as typed, or the object of the chosen error.
    pub query: String,
    /// False where nothing in the bundle goes by that name.
    pub found: bool,
    /// Full container id where known.
    pub container_id: Option<String>,
    /// Container name without the leading slash.
    pub name: Option<String>,
    /// Storage driver or kind of object: `devicemapper`, `overlay2`, `shm`, `netns`, …
    pub driver: Option<String>,
    /// The container's state as the runtime has it: `running`, `exited`, `dead`, …
    pub state: Option<String>,
    /// What kind of object the kernel called busy.
    pub busy: BusyKind,
    /// All names of the target, each with the evidence that links it.
    pub aliases: Vec<Alias>,
    /// Other containers that the query fits too (an ambiguous prefix).
    pub candidates: Vec<String>,
}

/// Another name of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Alias {
    /// The name itself.
    pub value: String,
    /// What kind of name.
    pub kind: AliasKind,
    /// Where the link was found.
    pub evidence: Vec<Evidence>,
}

/// Kinds of names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum AliasKind {
    /// Full or short container id.
    ContainerId,
    /// Container name.
    Name,
    /// Layer (mount) id of the container's writable layer.
    LayerId,
    /// Device-mapper or other block device name.
    Device,
    /// `MAJOR:MINOR`.
    DeviceNumber,
    /// Dataset of zfs or subvolume of btrfs.
    Dataset,
    /// Path of a mount or directory on the host.
    Path,
    /// Overlay upper directory.
    UpperDir,
    /// Namespace, as `net:[4026532000]`.
    Namespace,
    /// Anything else that the log named.
    #[default]
    Other,
}
