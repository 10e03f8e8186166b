//! Snapshot → census: without any error, what of containers lives on where it no longer belongs. These are the
//! busy errors of tomorrow.
//!
//! | step | module |
//! |---|---|
//! | which mounts are a container's | [`objects`] |
//! | whose, and does that container still live | [`owners`] |
//! | which of them are left over | [`survey`], namespace by namespace ([`lanes`]) |
//! | what that does to a removal | [`effect`] |
//! | who is at fault | [`groups`] |
//! | which of them are told one by one | [`listed`] |
//! | a leftover in words | [`leftovers`], [`describe`] |
//!
//! ```
//! # mod parts { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/parts/host.rs")); }
//! # use parts::host;
//! // `host` gives an `Analysis` of a host, as `Analysis::open` does.
//!
//! let census = host("web1")?.census();
//! assert!(census.groups.is_empty(), "nothing of a container is there");
//! assert!(ebusy_analyzer::census::text::render(&census).contains("Looked at"));
//! # Ok::<(), ebusy_analyzer::OpenError>(())
//! ```

mod describe;
mod effect;
mod groups;
mod lanes;
mod leftovers;
pub(crate) mod listed;
pub mod markdown;
mod objects;
mod open_devices;
mod owners;
mod survey;
pub mod text;

use serde::{Deserialize, Serialize};

use crate::report::{
    BundleInfo, ContainerRef, Diagnostic, Effect, Evidence, HolderKind, Host, MountView, OpenFile,
    ProcessView,
};
use crate::snapshot::{Facts, Snapshot};
pub(crate) use groups::{Inventory, take_inventory};
pub(crate) use survey::Finding;

/// Name and version of the census's shape.
pub const SCHEMA: &str = "ebusy.census/1";

/// So many leftovers are told one by one, where nothing else is asked for.
pub const LISTED: usize = crate::extent::LISTED;

/// So many groups are shown in text and Markdown.
const SHOWN_GROUPS: usize = 25;

/// What lives on in mount namespaces where it no longer belongs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Census {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The host the bundle was taken on.
    pub host: Host,
    /// What the bundle held and what it lacked.
    pub bundle: BundleInfo,
    /// When the host was booted, RFC 3339 UTC, where the bundle tells.
    pub booted_at: Option<String>,
    /// The answer in one sentence.
    pub summary: String,
    /// How many things of containers live on where they do not belong.
    pub total: u32,
    /// How many of them will block a removal.
    pub blocking: u32,
    /// Bytes of the different block devices that they pin, where their sizes are known.
    pub pinned_bytes: Option<u64>,
    /// How many are at fault.
    pub total_groups: u32,
    /// Who is at fault, worst first: what blocks a removal before what only holds space. At most 1,000; the counts are
    /// of all.
    pub groups: Vec<CensusGroup>,
    /// What was looked at, in sentences; the answer where there are no groups.
    pub looked_at: Vec<String>,
    /// What could not be read or is missing.
    pub warnings: Vec<Diagnostic>,
}

/// One process, unit or container with what it keeps.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct CensusGroup {
    /// Short name: `httpd.service`, `container cadvisor`, `no process`.
    pub label: String,
    /// What kind of holder it is.
    pub kind: HolderKind,
    /// systemd unit of its processes.
    pub unit: Option<String>,
    /// Container of its processes.
    pub container: Option<ContainerRef>,
    /// Inode numbers of its mount namespaces, ascending.
    pub mount_namespaces: Vec<u64>,
    /// All pids in them, ascending; those that keep the namespace where no process is in it.
    pub pids: Vec<u32>,
    /// The first process in full.
    pub process: Option<ProcessView>,
    /// How many things it keeps.
    pub total: u32,
    /// How many of them will block a removal.
    pub blocking: u32,
    /// How many of each kind.
    pub kinds: Vec<KindCount>,
    /// Bytes of the different block devices that it pins, where their sizes are known.
    pub pinned_bytes: Option<u64>,
    /// What it keeps: blocking ones first, then those of containers that are gone. Where there are very many, only
    /// the first of each group are listed ([`LISTED`] in all); the counts are of all.
    pub leftovers: Vec<Leftover>,
}

/// How many leftovers of a kind there are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct KindCount {
    /// The kind.
    pub kind: LeftoverKind,
    /// How many.
    pub count: u32,
    /// How many of them will block a removal.
    pub blocking: u32,
}

/// Something of a container that is left over.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Leftover {
    /// What it is.
    pub kind: LeftoverKind,
    /// Its name whatever the namespace: layer or container id, pod uid, `net:[N]`.
    pub object: String,
    /// Inode number of the mount namespace that it is in, where known.
    pub mount_namespace: Option<u64>,
    /// The container that it was made for, where known.
    pub container: Option<ContainerRef>,
    /// That container's state: the runtime's word, `gone` where the runtime no longer knows it, `None` where
    /// the bundle cannot tell.
    pub container_state: Option<String>,
    /// Why it does not belong there, one sentence.
    pub why: String,
    /// What it does to the removal.
    pub effect: Effect,
    /// Why it has that effect, one sentence.
    pub effect_reason: String,
    /// The device that it pins.
    pub device: Option<PinnedDevice>,
    /// The mount; `None` where only an open file keeps it.
    pub mount: Option<MountView>,
    /// Open files that keep it where no mount does.
    pub open_files: Vec<OpenFile>,
    /// File and line in the bundle for each claim.
    pub evidence: Vec<Evidence>,
}

/// Kinds of things that are left over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum LeftoverKind {
    /// A container's thin device (device-mapper).
    ThinDevice,
    /// A container's root file system: overlay, aufs, btrfs, zfs.
    RootFileSystem,
    /// A container's `/dev/shm`.
    Shm,
    /// A container's secrets.
    Secrets,
    /// A volume of a Kubernetes pod.
    PodVolume,
    /// A network namespace, by the file that pins it.
    NetworkNamespace,
}

/// A device that something keeps open.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PinnedDevice {
    /// `MAJOR:MINOR`.
    pub number: String,
    /// `/dev/mapper/NAME` or `/dev/NAME`; `None` for file systems without a device.
    pub name: Option<String>,
    /// Its size in bytes, from `/sys/block`.
    pub size_bytes: Option<u64>,
}

/// Looks through all mount namespaces. At most `most` leftovers are told one by one, but at least one of each group.
pub fn take(snapshot: &Snapshot, most: usize) -> Census {
    let overview = crate::report::overview(snapshot);
    let inventory = take_inventory(snapshot);
    let groups = listed::groups(&inventory, most);
    let mut census = Census {
        schema: SCHEMA.to_owned(),
        host: overview.host,
        bundle: overview.bundle,
        booted_at: snapshot.facts.boot_time.map(crate::calendar::rfc3339),
        summary: String::new(),
        total: inventory.total(),
        blocking: inventory.blocking(),
        pinned_bytes: inventory.pinned_bytes(),
        total_groups: u32::try_from(inventory.groups.len()).unwrap_or(u32::MAX),
        groups,
        looked_at: looked_at(snapshot, &inventory.survey.looked),
        warnings: overview.warnings,
    };
    census.summary = summary(&census, &snapshot.facts);
    census
}

fn summary(census: &Census, facts: &Facts) -> String {
    let count =
        |n: u32, one: &str, many: &str| if n == 1 { format!("1 {one}") } else { format!("{n} {many}") };
    let caution = match (facts.complete, facts.refused()) {
        (true, None) => "",
        (true, Some(_)) => " in the part of the host that could be read",
        (false, _) => " in the part of the bundle that could be read",
    };
    let Some(worst) = census.groups.first() else {
        return format!(
            "Nothing is left over: no container's mount lives on where it does not belong{caution}."
        );
    };
    let effect = match census.blocking {
        0 => format!("none{caution} blocks a removal, they only hold space"),
        n => format!("{n} will block a removal"),
    };
    let whom = match census.total_groups {
        1 => format!("kept by {}", worst.label),
        n => format!("kept by {n} holders, first of all {}", worst.label),
    };
    let things = count(census.total, "thing of a container lives on", "things of containers live on");
    format!("{things} where it does not belong, {whom}; {effect}.").replace(
        "things of containers live on where it does not belong",
        "things of containers live on where they do not belong",
    )
}

/// How many groups text and Markdown leave out.
fn more_groups(census: &Census) -> Option<usize> {
    let shown = census.groups.len().min(SHOWN_GROUPS);
    (census.total_groups as usize).checked_sub(shown).filter(|more| *more > 0)
}

fn looked_at(snapshot: &Snapshot, looked: &survey::Looked) -> Vec<String> {
    let mut sentences = vec![
        format!(
            "{} mounts in {} tables of {} mount namespaces, {} of them without a process.",
            looked.mounts,
            snapshot.tables.len(),
            snapshot.namespaces.len(),
            snapshot.namespaces.values().filter(|n| n.pids.is_empty()).count(),
        ),
        format!(
            "Mounts of a container or pins of a network namespace: {}; {} of them belong where they are, {} copies go with the runtime's own umount.",
            looked.candidates, looked.belong, looked.follow,
        ),
    ];
    sentences.extend(snapshot.facts.part_only());
    let unread = crate::holders::unread(snapshot).len();
    if unread > 0 {
        sentences.push(format!("{unread} mount namespaces that something keeps could not be read."));
    }
    sentences.push(if snapshot.recorded.has_container_list {
        format!("Containers by the runtime's own list and the processes' cgroups: {}.", snapshot.containers.len())
    } else {
        "No list of containers: only what no running container uses and the runtime's namespace no longer has is told.".to_owned()
    });
    sentences.push(match looked.thin_devices {
        0 => "No thin devices of containers.".to_owned(),
        n => format!("Thin devices of containers, with who has them open: {n}."),
    });
    sentences
}
