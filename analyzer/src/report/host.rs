//! The host, the bundle, and what a bundle offers before a target is chosen.

use crate::errors::BusyError;
use crate::evidence::Diagnostic;
use serde::{Deserialize, Serialize};

/// Facts about the host.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Host {
    /// Host name, where the bundle tells it.
    pub name: Option<String>,
    /// Kernel release, e.g. `3.10.0-1160.el7.x86_64`.
    pub kernel: Option<String>,
    /// When the bundle was taken, RFC 3339 UTC.
    pub collected_at: Option<String>,
    /// Container runtime and version where known, e.g. `docker 17.05.0-ce`.
    pub runtime: Option<String>,
    /// Whether this kernel drops mounts of other namespaces when a directory is removed
    /// (3.18 and later, or RHEL 7 with `fs.may_detach_mounts`); `None` where the bundle cannot tell.
    pub drops_foreign_mounts: Option<bool>,
    /// The kernel's random id of this boot (`/proc/sys/kernel/random/boot_id`): another one is another boot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
}

/// What kind of archive was read and how complete it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BundleInfo {
    /// `ebusy.bundle/1`, `proc-tree`, `sosreport`, …
    pub format: String,
    /// Version of the collector that wrote it.
    pub collector: Option<String>,
    /// False where the end of the bundle is missing.
    pub complete: bool,
    /// Whether it was taken with the right to read every process; `None` where unknown.
    pub privileged: Option<bool>,
    /// Number of processes in it.
    pub processes: u32,
    /// Number of mount namespaces seen.
    pub mount_namespaces: u32,
    /// Number of different mount tables.
    pub mount_tables: u32,
    /// Number of log lines read.
    pub log_lines: u32,
}

impl BundleInfo {
    /// Whether a part of a bundle is missing; a text is never a whole host, and says so by what it is.
    pub fn is_cut(&self) -> bool {
        !self.complete && !matches!(self.format.as_str(), "" | "paste" | "supportconfig" | "must-gather")
    }
}

/// What a bundle offers before a target is chosen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Overview {
    /// The host.
    pub host: Host,
    /// The bundle.
    pub bundle: BundleInfo,
    /// Busy errors in its logs, latest first.
    pub errors: Vec<BusyError>,
    /// Containers that the bundle knows, sorted by name, then id.
    pub containers: Vec<ContainerSummary>,
    /// What could not be read or is missing.
    pub warnings: Vec<Diagnostic>,
}

/// A container in the overview.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContainerSummary {
    /// Full id.
    pub id: String,
    /// Name where known.
    pub name: Option<String>,
    /// Image where known.
    pub image: Option<String>,
    /// State where known.
    pub state: Option<String>,
    /// Storage driver where known.
    pub driver: Option<String>,
}
