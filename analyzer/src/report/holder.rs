//! Who holds the target, by what, why, and what to do about it.

use crate::bytes::visible;
use crate::evidence::Evidence;
use crate::parse::mountinfo::{Mount, propagation as propagation_state};
use serde::{Deserialize, Serialize};

/// A mount namespace, process or device that keeps a reference to the target.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Holder {
    /// What kind of holder.
    pub kind: HolderKind,
    /// Whether it blocks the operation on this kernel.
    pub effect: Effect,
    /// Why it has that effect, in one sentence.
    pub effect_reason: String,
    /// Inode number of the mount namespace, `None` where the bundle has no ns links.
    pub mount_namespace: Option<u64>,
    /// The pids in it that count, ascending. Pids of the host.
    pub pids: Vec<u32>,
    /// The first process (lowest pid) in full, where there is one.
    pub process: Option<ProcessView>,
    /// The other processes, as many as the report keeps.
    pub more_processes: Vec<ProcessView>,
    /// systemd unit, e.g. `httpd.service`.
    pub unit: Option<String>,
    /// Container that the processes belong to.
    pub container: Option<ContainerRef>,
    /// The mounts of the target in this namespace.
    pub mounts: Vec<MountView>,
    /// Open descriptors, cwd, root, exe and mappings on the target.
    pub open_files: Vec<OpenFile>,
    /// Why it came to be; `None` = unknown.
    pub cause: Option<Cause>,
    /// What else let it come to that, the nearest first: an old kernel, a storage directory made private, ….
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more_causes: Vec<Cause>,
    /// File and line in the bundle for each claim.
    pub evidence: Vec<Evidence>,
    /// What to do, `now` before `lasting`, the gentlest first.
    pub remedies: Vec<Remedy>,
}

/// Kinds of holders.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum HolderKind {
    /// The host's own mount namespace (that of pid 1).
    #[default]
    Host,
    /// The container daemon or a shim of it.
    Daemon,
    /// Another container.
    Container,
    /// A systemd service with a mount namespace of its own.
    SystemdUnit,
    /// A namespace that somebody unshared.
    Unshared,
    /// A namespace without a process, kept by a bind mount or a descriptor.
    Pinned,
    /// A process that has a file, directory or mapping open on the target.
    OpenFile,
    /// A device stacked on the target, or swap on it.
    Device,
}

/// What the holder does to the operation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Effect {
    /// The operation fails while it is there.
    Blocking,
    /// It keeps space or a device, but does not block this operation on this kernel.
    Holding,
    /// It has nothing to do with the error.
    #[default]
    Unrelated,
}

/// A process as the report shows it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ProcessView {
    /// Pid on the host.
    pub pid: u32,
    /// Short name.
    pub comm: String,
    /// Command line with blanks between the arguments; empty for kernel threads.
    pub cmdline: String,
    /// State letter of proc(5): `S`, `D`, `Z`, …
    pub state: Option<char>,
    /// When it started, RFC 3339 UTC, where boot time and clock ticks are known.
    pub started_at: Option<String>,
}

/// A container by id and name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ContainerRef {
    /// Full id.
    pub id: String,
    /// Name where known.
    pub name: Option<String>,
    /// Image where known.
    pub image: Option<String>,
}

/// One mount of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct MountView {
    /// Mount id, unique over all mount namespaces of a running kernel.
    pub id: u32,
    /// Where it is mounted, as the namespace's processes see it.
    pub mount_point: String,
    /// Which part of the file system it shows.
    pub root: String,
    /// `MAJOR:MINOR`.
    pub device: String,
    /// File system type.
    pub fs_type: String,
    /// Mount source.
    pub source: String,
    /// Peer group that it shares mounts with.
    pub shared: Option<u32>,
    /// Peer group that it receives mounts from.
    pub master: Option<u32>,
    /// Nearest peer group up the chain that is visible from the process's root.
    pub propagate_from: Option<u32>,
    /// True where it cannot be bound.
    pub unbindable: bool,
    /// Whether the umount in the runtime's namespace takes this mount along; `None` where that is not the question
    /// (it is the runtime's own, or is unmounted there already) and where the bundle does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follows: Option<bool>,
    /// Why this mount counts: `same device 253:1`, `mount point has the layer id`, …
    pub matched_by: String,
    /// The very line of mountinfo.
    pub evidence: Evidence,
}

impl MountView {
    /// A mount as its line of a mount table tells it.
    pub(crate) fn of(mount: &Mount<'_>, matched_by: String, evidence: Evidence) -> Self {
        Self {
            id: mount.id.0,
            mount_point: visible(&mount.mount_point()),
            root: visible(&mount.root()),
            device: mount.device.to_string(),
            fs_type: visible(mount.fs_type),
            source: visible(&mount.source()),
            shared: mount.shared().map(|g| g.0),
            master: mount.master().map(|g| g.0),
            propagate_from: mount.propagate_from().map(|g| g.0),
            unbindable: mount.unbindable(),
            follows: None,
            matched_by,
            evidence,
        }
    }

    /// Whether the source tells propagation at all: `/proc/PID/mounts`, findmnt and mount do not, and no device
    /// number either (0:0 is no file system's).
    pub fn tells_propagation(&self) -> bool {
        self.device != "0:0"
    }

    /// The propagation state in the words of mount_namespaces(7); `unknown` where the source does not tell it.
    pub fn propagation(&self) -> &'static str {
        if !self.tells_propagation() {
            return "unknown propagation";
        }
        propagation_state(self.shared.is_some(), self.master.is_some(), self.unbindable)
    }
}

/// A reference from a process to a file of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct OpenFile {
    /// Pid on the host.
    pub pid: u32,
    /// `cwd`, `root`, `exe`, `fd/7`, `map`.
    pub reference: String,
    /// Path as the link shows it; after a lazy umount it lacks its prefix.
    pub path: String,
    /// Where it was seen.
    pub evidence: Evidence,
}

/// The named reason why a holder came to be.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Cause {
    /// Stable name, e.g. `systemd-private-namespace`.
    pub id: String,
    /// One or two sentences about this very holder.
    pub summary: String,
}

/// A command with its effect and its risk.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Remedy {
    /// Frees the target now, or keeps it from coming back.
    pub when: When,
    /// What to type as root, quoted for a POSIX shell; may span lines. Empty where it is advice only.
    pub command: String,
    /// What it does.
    pub effect: String,
    /// What it interrupts or may break.
    pub risk: String,
}

/// When a remedy acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum When {
    /// Frees the target.
    #[default]
    Now,
    /// Keeps it from happening again.
    Lasting,
}
