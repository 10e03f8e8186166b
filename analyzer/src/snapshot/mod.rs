//! Records → snapshot: the host as understood from a bundle: processes, mount namespaces, mount tables,
//! containers, devices and logs, each with the file of the bundle that told.
//!
//! ```
//! use ebusy_analyzer::archive::{Content, End, Entry};
//! use ebusy_analyzer::snapshot::{Hosts, Pid};
//!
//! // Files of a host, wherever they come from; an archive's members go the same way.
//! let mut hosts = Hosts::default();
//! let table = b"245 201 253:3 / /mnt/data rw - ext4 /dev/mapper/vg0-data rw\n";
//! for (path, content) in [
//!     ("proc/645/mountinfo", Content::File(table)),
//!     ("proc/645/comm", Content::File(b"httpd\n")),
//!     ("proc/645/ns/mnt", Content::Symlink(b"mnt:[4026532184]")),
//! ] {
//!     hosts.add(Entry { archive: b"", path: path.as_bytes(), content });
//! }
//! let [snapshot] = &hosts.finish(&End::Complete)[..] else { panic!("one host") };
//! assert_eq!(snapshot.processes[&Pid(645)].name(), "httpd");
//! let namespace = snapshot.namespace_of(Pid(645)).ok_or("it is in one")?;
//! assert_eq!(namespace.inode(), Some(4026532184));
//! let mut tables = namespace.tables.iter().filter_map(|id| snapshot.table(*id));
//! let table = tables.next().ok_or("it was read")?;
//! let (line, mount) = table.mounts().next().ok_or("a mount")?;
//! assert_eq!((line, &*mount.mount_point()), (1, &b"/mnt/data"[..]));
//! # Ok::<(), &str>(())
//! ```

mod build;
mod entry_path;
mod hosts;
mod index;
mod lines;
mod log_clock;
mod marks;
mod membership;
mod moved;
mod namespaces;
mod places;
mod propagation;
mod recorded;
mod shortcomings;
mod table;

use crate::order;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::OnceLock;

use crate::bytes::{shown, visible};
use crate::errors::BusyError;
use crate::errors::IdLink;
use crate::evidence::{Diagnostic, Evidence};
use crate::parse::kernel_release::{self, KernelVersion};
use crate::parse::links::Link;
use crate::parse::mountinfo::Mount;
use crate::parse::runtime_state::ContainerRecord;
use crate::parse::security_label::{self, Confinement};

pub use crate::ids::{DeviceNumber, MountId, NamespaceInode, PeerGroup, Pid};
pub use build::Builder;
pub(crate) use entry_path::EntryPath;
pub use hosts::Hosts;
pub use log_clock::LogClock;
pub use membership::ProcessMembership;
pub use namespaces::{MountNamespace, NamespaceKey};
pub(crate) use places::{Place, Places, place_on};
pub use propagation::PeerGroups;
pub use recorded::Recorded;
pub use table::{MountTable, Placed, TableForm};

/// A host.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Facts from the manifest and from `/proc`.
    pub facts: Facts,
    /// Processes by pid.
    pub processes: BTreeMap<Pid, Process>,
    /// Different mount tables; processes share them.
    pub tables: Vec<MountTable>,
    /// See [`Snapshot::peer_groups`].
    peer_groups: OnceLock<PeerGroups>,
    /// See [`index`].
    index: OnceLock<index::Index>,
    /// The container daemon, see [`Snapshot::daemon`].
    daemon: Option<Pid>,
    /// Mount namespaces, with and without processes.
    pub namespaces: BTreeMap<NamespaceKey, MountNamespace>,
    /// Namespaces of any kind that an nsfs mount or an open descriptor keeps.
    pub pins: Vec<NamespacePin>,
    /// Containers by full id.
    pub containers: BTreeMap<String, Container>,
    /// Block devices by kernel name (`dm-1`, `loop0`).
    pub devices: BTreeMap<Vec<u8>, BlockDevice>,
    /// `dmsetup info` rows by device-mapper name, for bundles without `/sys/block`.
    pub dm_names: BTreeMap<Vec<u8>, (DeviceNumber, Evidence)>,
    /// Mapped rbd images, `POOL/IMAGE`, with their devices.
    pub rbd_images: BTreeMap<Vec<u8>, (Vec<u8>, Evidence)>,
    /// Datasets of zfs with their mount points.
    pub datasets: BTreeMap<Vec<u8>, (Vec<u8>, Evidence)>,
    /// Swap areas: path of file or device.
    pub swaps: Vec<(Vec<u8>, Evidence)>,
    /// Properties of systemd units, by unit.
    pub units: BTreeMap<Vec<u8>, BTreeMap<String, String>>,
    /// Busy errors of all logs, latest first.
    pub errors: Vec<BusyError>,
    /// Container and layer ids that logs link.
    pub log_links: Vec<IdLink>,
    /// Lines of all logs.
    pub log_lines: u64,
    /// What could not be read.
    pub diagnostics: Vec<Diagnostic>,
    /// Sizes, ends and other facts beside the holders'.
    pub recorded: Recorded,
}

/// Facts about host and bundle.
#[derive(Debug, Default, Clone)]
pub struct Facts {
    /// `ebusy.bundle/1`, `proc-tree`, `sosreport`, `supportconfig`, `must-gather` or `paste`.
    pub format: String,
    /// Collector's version.
    pub collector: Option<String>,
    /// Host name.
    pub host: Option<String>,
    /// Kernel release.
    pub kernel: Option<String>,
    /// Start of the collection.
    pub collected_at: Option<String>,
    /// Boot time, seconds since 1970.
    pub boot_time: Option<u64>,
    /// The kernel's random id of this boot.
    pub boot_id: Option<String>,
    /// Clock ticks a second of process start times.
    pub clock_ticks: Option<u64>,
    /// `fs.may_detach_mounts`, where the file is there.
    pub may_detach_mounts: Option<bool>,
    /// Whether the collector could read everything.
    pub privileged: Option<bool>,
    /// Files of processes that the collector was refused, or that did not answer: how many, and one of them with the
    /// error. A security module may refuse root, too.
    pub unread: Option<(u64, String)>,
    /// What a security module ran the collector as: `docker-default (enforce)` of AppArmor, a context of SELinux.
    pub security_label: Option<String>,
    /// The collector's own pid.
    pub collector_pid: Option<Pid>,
    /// Whether the end of the bundle was seen.
    pub complete: bool,
    /// Server version of docker, where something told.
    pub docker_version: Option<String>,
}

impl Facts {
    /// Whether the input is text that shows a part of the host only.
    pub fn is_paste(&self) -> bool {
        matches!(self.format.as_str(), "paste" | "supportconfig" | "must-gather")
    }

    /// What a list of what was looked at has to say where a part of the bundle or of the host is missing.
    pub(crate) fn part_only(&self) -> Vec<String> {
        let is_cut = !self.complete && !self.is_paste();
        let cut = is_cut.then(|| "Only the part of the bundle that could be read.".to_owned());
        let refused =
            self.refused().map(|why| format!("Only the part of the host that could be read: {why}."));
        cut.into_iter().chain(refused).collect()
    }

    /// Why processes may have what the bundle does not show, where the collector was not let in everywhere: a clause.
    pub(crate) fn refused(&self) -> Option<String> {
        if self.privileged == Some(false) {
            return Some("it was collected without the right to look into other users' processes".to_owned());
        }
        let (count, example) = self.unread.as_ref()?;
        let label = self.security_label.as_deref().map(|label| visible(label.as_bytes()));
        let by = match label.as_deref().and_then(security_label::confinement) {
            Some(Confinement::AppArmor { profile }) => {
                format!(" while AppArmor confined it with the profile {profile}")
            }
            Some(Confinement::SeLinux { domain }) => {
                format!(" while SELinux confined it to the domain {domain}")
            }
            None => String::new(),
        };
        let files = if *count == 1 { "file" } else { "files" };
        Some(format!("the collector could not read {count} {files} of processes ({example}){by}"))
    }

    /// Parsed kernel release.
    pub fn kernel_version(&self) -> Option<KernelVersion> {
        kernel_release::parse(self.kernel.as_deref()?.as_bytes())
    }

    /// Major and minor of `17.05.0-ce` or `20.10.24+dfsg1`.
    pub fn docker(&self) -> Option<(u32, u32)> {
        let mut parts = self.docker_version.as_deref()?.split(|c: char| !c.is_ascii_digit());
        Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
    }

    /// Whether dockerd removes a layer's mount point after the umount: 20.10 does, 17.05 does not (tried on kernel
    /// 6.1); between them it changed driver by driver (moby af0d589623): `None`.
    pub fn docker_removes_mount_points(&self) -> Option<bool> {
        match self.docker()? {
            (20.., _) => Some(true),
            (..=17, _) => Some(false),
            _ => None,
        }
    }

    /// Whether removing a directory drops other namespaces' mounts on it; `None` where the kernel is unknown.
    pub fn drops_foreign_mounts(&self) -> Option<bool> {
        Some(self.kernel_version()?.drops_foreign_mounts(self.may_detach_mounts))
    }
}

/// A process.
#[derive(Debug, Default)]
pub struct Process {
    /// Short name.
    pub comm: Vec<u8>,
    /// Arguments, NUL-separated as in `/proc`.
    pub cmdline: Vec<u8>,
    /// State letter.
    pub state: Option<char>,
    /// Threads, as far as known.
    pub threads: u32,
    /// Parent.
    pub parent: Option<Pid>,
    /// Start in clock ticks after boot.
    pub start_ticks: Option<u64>,
    /// Unit and container from its cgroup.
    pub membership: ProcessMembership,
    /// `mnt:[…]` of `ns/mnt`.
    pub mount_namespace: Option<NamespaceInode>,
    /// Its mount table.
    pub table: Option<TableId>,
    /// `root` link.
    pub root: Option<Vec<u8>>,
    /// `exe` link.
    pub exe: Option<Vec<u8>>,
    /// Texts of links: `cwd`, `root`, `exe`, `fd/N`.
    pub link_texts: BTreeMap<Vec<u8>, Vec<u8>>,
    /// What is behind them.
    pub links: Vec<Link>,
    /// File of the bundle that `links` came from.
    pub links_file: String,
}

impl Process {
    /// Whether it runs: one that has ended and that nobody has waited for keeps nothing but its pid. The state is that
    /// of the first thread, which may have ended before the others (`pthread_exit` in `main`).
    pub fn is_alive(&self) -> bool {
        !matches!(self.state, Some('Z' | 'X')) || self.threads > 1
    }

    /// The name a person would call it by.
    pub fn name(&self) -> String {
        let name = if self.comm.is_empty() { self.executable() } else { &self.comm };
        if name.is_empty() { "a process".to_owned() } else { shown(name) }
    }

    /// Last component of the executable, without ` (deleted)`.
    pub fn executable(&self) -> &[u8] {
        let exe = self.exe.as_deref().unwrap_or_default();
        let exe = exe.strip_suffix(b" (deleted)").unwrap_or(exe);
        crate::bytes::components(exe).next_back().unwrap_or(&self.comm)
    }
}

/// Index of a mount table in [`Snapshot::tables`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TableId(pub usize);

/// Something that keeps a namespace alive without being a process in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct NamespacePin {
    /// `mnt`, `net`, …
    pub kind: Vec<u8>,
    /// Which.
    pub inode: NamespaceInode,
    /// By what.
    pub by: PinnedBy,
    /// Where it was seen.
    pub evidence: Evidence,
}

/// What keeps it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PinnedBy {
    /// An nsfs mount at this path in this table.
    Bind(TableId, Vec<u8>),
    /// An nsfs mount at this path, as the collector saw it through this process.
    BindSeenBy(Pid, Vec<u8>),
    /// A descriptor of this process.
    Descriptor(Pid, Vec<u8>),
    /// As the collector described it.
    Noted(Vec<u8>),
}

/// A container, put together from all sources.
#[derive(Debug, Default, Clone)]
pub struct Container {
    /// What the runtime's state says.
    pub record: ContainerRecord,
    /// Layer ids linked to it, each with evidence.
    pub layers: BTreeMap<String, Evidence>,
    /// Where the record was found.
    pub evidence: Vec<Evidence>,
    /// Its processes, from their cgroups.
    pub pids: BTreeSet<Pid>,
}

/// A block device.
#[derive(Debug, Default, Clone)]
pub struct BlockDevice {
    /// Number.
    pub number: Option<DeviceNumber>,
    /// Device-mapper name.
    pub dm_name: Option<Vec<u8>>,
    /// Device-mapper uuid; its prefix names who made the device (`LVM-`, `mpath-`, `CRYPT-`).
    pub dm_uuid: Option<Vec<u8>>,
    /// Open count, where something told.
    pub open_count: Option<(u32, Evidence)>,
    /// File behind a loop device, as the kernel shows it.
    pub backing_file: Option<Vec<u8>>,
    /// Device that this file is on.
    pub backing_device: Option<DeviceNumber>,
    /// The device that a loop device is on, where that is no file.
    pub backing_node: Option<DeviceNumber>,
    /// Devices stacked on it, by kernel name.
    pub holders: BTreeSet<Vec<u8>>,
    /// Where it was seen.
    pub evidence: Option<Evidence>,
}

/// Of several programs that may be the container daemon the lowest is it.
fn rank_of_daemon(program: &[u8]) -> Option<u8> {
    match program {
        b"dockerd" | b"dockerd-current" | b"docker-current" => Some(0),
        b"docker" => Some(1),
        b"containerd" | b"crio" | b"docker-containerd" => Some(2),
        b"podman" | b"lxd" | b"incusd" => Some(3),
        _ => None,
    }
}

impl Snapshot {
    /// The table.
    pub fn table(&self, id: TableId) -> Option<&MountTable> {
        self.tables.get(id.0)
    }

    /// The host's own mount namespace: that of pid 1 or of the kernel's threads, else the one that most processes
    /// of a collection are in.
    pub fn host_namespace(&self) -> Option<&MountNamespace> {
        let own = self.namespace_of(Pid(1)).or_else(|| self.namespace_of(Pid(2)));
        // A text shows the processes that somebody searched for: they are not the host's because they are many.
        if self.facts.is_paste() {
            return own;
        }
        own.or_else(|| self.namespaces.values().max_by_key(|n| (n.pids.len(), std::cmp::Reverse(&n.key))))
    }

    /// The container daemon: dockerd first, then others.
    pub fn daemon(&self) -> Option<(Pid, &Process)> {
        self.daemon.and_then(|pid| Some((pid, self.processes.get(&pid)?)))
    }

    fn find_daemon(&self) -> Option<Pid> {
        let ranked = self.processes.iter().filter_map(|(pid, p)| {
            let rank = [&p.comm[..], p.executable()].into_iter().filter_map(rank_of_daemon).min()?;
            // `docker` is also the client; the old daemon was called with -d or daemon.
            let client = p.comm == b"docker"
                && !crate::parse::process_files::cmdline(&p.cmdline)
                    .iter()
                    .any(|a| matches!(*a, b"-d" | b"--daemon" | b"daemon"));
            // A container's monitor is the same program as the daemon.
            let monitor = p.cmdline.starts_with(b"[lxc monitor]");
            (!client && !monitor && p.membership.container.is_none()).then_some((rank, *pid))
        });
        ranked.min().map(|(_, pid)| pid)
    }

    /// The namespace in which the daemon mounts and unmounts; the host's where there is no daemon.
    pub fn daemon_namespace(&self) -> Option<&MountNamespace> {
        self.daemon().and_then(|(pid, _)| self.namespace_of(pid)).or_else(|| self.host_namespace())
    }

    /// The mount tables of that namespace.
    pub(crate) fn daemon_tables(&self) -> impl Iterator<Item = &MountTable> {
        let tables = self.daemon_namespace().into_iter().flat_map(|namespace| &namespace.tables);
        tables.filter_map(|id| self.table(*id))
    }

    /// The mount that a mount is on, with its table and line.
    pub fn parent_of(&self, namespace: NamespaceKey, id: MountId) -> Option<(&MountTable, u32, Mount<'_>)> {
        let tables = self.namespaces.get(&namespace)?.tables.iter();
        tables.filter_map(|t| self.table(*t)).find_map(|table| {
            let (_, child) = table.mount_with(id)?;
            let (line, parent) = table.mount_with(child.parent).filter(|(_, parent)| parent.id != id)?;
            Some((table, line, parent))
        })
    }

    /// The mounts that are on a mount.
    pub fn children_of(&self, namespace: NamespaceKey, id: MountId) -> Vec<Mount<'_>> {
        let tables = self.namespaces.get(&namespace).into_iter().flat_map(|n| &n.tables);
        let tables = tables.filter_map(|t| self.table(*t));
        let mut children: Vec<Mount<'_>> = tables.flat_map(|t| t.mounts_on(id)).map(|(_, m)| m).collect();
        // One namespace seen from several roots shows the same mount several times.
        order::sort_by_key(&mut children, |m| m.id);
        children.dedup_by_key(|m| m.id);
        children
    }

    /// Start of a process as RFC 3339 UTC.
    pub fn started_at(&self, process: &Process) -> Option<String> {
        let ticks = self.facts.clock_ticks.unwrap_or(100).max(1);
        let seconds = self.facts.boot_time? + process.start_ticks? / ticks;
        Some(crate::calendar::rfc3339(seconds))
    }
}
