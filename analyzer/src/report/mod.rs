//! The report: what the analyzer found, in the one shape that the page, the terminal text, Markdown,
//! JSON and links all show. Schema name: [`SCHEMA`].
//!
//! Every string here is text for people: bytes that are not UTF-8 and control characters have been
//! made visible (`\xNN`) when the report was made, but nothing is escaped for HTML, Markdown or a
//! shell; each output does that for itself. Assume that every optional field may be absent.

use crate::bytes::visible;
use crate::parse::mountinfo::{Mount, propagation as propagation_state};
use serde::{Deserialize, Serialize};

mod base64;
mod build;
pub mod link;
pub mod markdown;
mod namespace_views;
mod process_view;
mod propagation;
pub mod redact;
pub mod saved;
pub mod text;
mod time;
mod verdict;

pub(crate) use build::{build, overview};
pub(crate) use process_view::process_view;
pub use time::rfc3339;

/// Name and version of the report's shape.
pub const SCHEMA: &str = "ebusy.report/1";

/// The answer to "who keeps this busy?" for one target on one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Report {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The host the bundle was taken on.
    pub host: Host,
    /// What the bundle held and what it lacked.
    pub bundle: BundleInfo,
    /// What is busy.
    pub target: Target,
    /// The answer in one sentence.
    pub verdict: Verdict,
    /// Who holds it: blocking ones first, then holding, then unrelated.
    pub holders: Vec<Holder>,
    /// The busy errors of the log that concern this target.
    pub errors: Vec<BusyError>,
    /// The mount namespaces of the picture: host, daemon, then each holder's.
    pub namespaces: Vec<NamespaceView>,
    /// Why the umount did not reach the copies, in sentences; empty where that is not the question.
    pub propagation: Vec<String>,
    /// What was looked at to come to the verdict, in sentences (`looked through 42 mount tables …`).
    pub looked_at: Vec<String>,
    /// What to run or send next where the verdict is not `held`, and the command to retry where it is.
    pub next_steps: Vec<Remedy>,
    /// What could not be read or is missing.
    pub warnings: Vec<Diagnostic>,
    /// What happened when, by the bundle's clocks: dated events in order, then those without a full date.
    #[serde(default)]
    pub timeline: Vec<TimelineEvent>,
}

/// Something that happened, with the clock that told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct TimelineEvent {
    /// RFC 3339 UTC; `None` where the source tells no year or no zone.
    pub at: Option<String>,
    /// The time as it is written at the source, where that is not a full date.
    pub written: Option<String>,
    /// What kind of event.
    pub kind: TimelineKind,
    /// One sentence.
    pub what: String,
    /// Where it was read.
    pub evidence: Vec<Evidence>,
}

/// Kinds of events, in the order in which they are listed at the same time.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum TimelineKind {
    /// The host started.
    #[default]
    Booted,
    /// A unit became active, by systemd's `ActiveEnterTimestamp`.
    UnitActive,
    /// The target container started.
    ContainerStarted,
    /// The oldest process of a holder started.
    HolderStarted,
    /// systemd saw a mount of the target.
    Mounted,
    /// The target container ended.
    ContainerFinished,
    /// systemd saw a umount of the target.
    Unmounted,
    /// The first busy error.
    FirstError,
    /// The last busy error.
    LastError,
    /// The bundle was taken.
    Collected,
}

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

/// The verdict.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Verdict {
    /// Held, free or unknown.
    pub status: Status,
    /// One or two sentences that answer the question.
    pub summary: String,
}

/// The verdict's three values.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Something in the bundle holds the target and blocks the operation.
    Held,
    /// The bundle is complete enough to say that nothing blocks it any more.
    Free,
    /// The bundle cannot tell.
    #[default]
    Unknown,
}

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

/// File and line in the bundle that a claim rests on.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Evidence {
    /// Path in the bundle, without the bundle's own top directory.
    pub file: String,
    /// Line, counted from 1; `None` for links and for a whole file.
    pub line: Option<u32>,
    /// The text there (a link's target for links).
    pub text: String,
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

/// One kind of busy error with how often it was seen. The first fields are those of `ebusy errors`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct BusyError {
    /// The container that could not be removed, started or stopped: full id where the log has it.
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
    /// Name of a container where the line gives one.
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

/// Something that could not be read or is missing; data never makes the analyzer fail.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diagnostic {
    /// Stable code, e.g. `truncated-bundle`.
    pub code: String,
    /// File in the bundle.
    pub file: Option<String>,
    /// Line, counted from 1.
    pub line: Option<u32>,
    /// What happened.
    pub message: String,
    /// What to do about it.
    pub advice: String,
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
