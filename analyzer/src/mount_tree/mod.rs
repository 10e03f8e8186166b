//! One mount namespace as a tree of mounts, as findmnt(8) shows it, compared with the host's own.
//!
//! | step | module |
//! |---|---|
//! | what the namespaces are called | [`names`] |
//! | what is added, missing or different | [`compare`] |
//! | which mount is on which | [`order`] |
//!
//! ```
//! # mod parts { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/parts/host.rs")); }
//! # use parts::host;
//! // `host` gives an `Analysis` of a host, as `Analysis::open` does.
//!
//! use ebusy_analyzer::mount_tree::Change;
//!
//! let analysis = host("web1")?;
//! let labels: Vec<String> = analysis.namespaces().into_iter().map(|it| it.label).collect();
//! assert_eq!(labels, ["host", "httpd"]);
//! let tree = analysis.mount_tree("4026532184").expect("its key is in the list");
//! let mount = &tree.rows[1];
//! assert_eq!((mount.mount_point.as_str(), mount.change), ("/mnt/data", Change::Added));
//! # Ok::<(), ebusy_analyzer::OpenError>(())
//! ```

mod compare;
mod names;
mod order;

use serde::{Deserialize, Serialize};

use crate::bytes::shown;
use crate::parse::mountinfo::Mount;
use crate::snapshot::{MountNamespace, MountTable, Snapshot};
use compare::Known;

pub use names::NamespaceName;
pub(crate) use names::names;

/// The mounts of one namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MountTree {
    /// Key of the namespace, as in [`NamespaceName::key`].
    pub key: String,
    /// The bundle's file that its mounts stand in.
    pub file: String,
    /// The bundle's file that the host's own mounts stand in, where the two are compared.
    pub host_file: Option<String>,
    /// Whether its `/` is another file system than the host's. Then nothing of the host's tree is expected in
    /// it, and nothing is called missing.
    pub other_root: bool,
    /// Depth first: what is mounted on a mount follows it.
    pub rows: Vec<TreeRow>,
}

/// One mount of a tree.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeRow {
    /// How many mounts it is on; 0 for the root.
    pub depth: u32,
    /// Mount id.
    pub id: u32,
    /// Where, as the namespace's processes see it.
    pub mount_point: String,
    /// `MAJOR:MINOR`.
    pub device: String,
    /// Which part of the file system it shows.
    pub root: String,
    /// File system type.
    pub fs_type: String,
    /// Mount source.
    pub source: String,
    /// Options of this mount.
    pub options: String,
    /// Peer group that it shares mounts with.
    pub shared: Option<u32>,
    /// Peer group that it receives mounts from.
    pub master: Option<u32>,
    /// Line in [`MountTree::file`], or in [`MountTree::host_file`] for what is missing. From 1.
    pub line: u32,
    /// Compared with the host's own table.
    pub change: Change,
    /// Where the host has the same file system and root, for what is not at the same place there.
    pub elsewhere: Option<String>,
}

/// How a mount compares with the host's own table, by mount point, device and root.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// The host has the same.
    #[default]
    Same,
    /// The host has nothing mounted there.
    Added,
    /// Only the host has it.
    Missing,
    /// The host has something else mounted there.
    Different,
}

/// The tree of the namespace with that key, and the host's for an empty key. `None` where there is no such
/// namespace, or no mount table of it.
pub(crate) fn take(snapshot: &Snapshot, key: &str) -> Option<MountTree> {
    let host = snapshot.host_namespace();
    let namespace = match key {
        "" => host?,
        key => snapshot.namespaces.values().find(|n| names::key(n.key) == key)?,
    };
    let table = widest_table(snapshot, namespace)?;
    let host_table =
        host.filter(|host| host.key != namespace.key).and_then(|host| widest_table(snapshot, host));
    let own: Vec<(u32, Mount<'_>)> = table.mounts().collect();
    let of_host: Vec<(u32, Mount<'_>)> = host_table.into_iter().flat_map(MountTable::mounts).collect();
    let compared = host_table.is_some();
    let known = Known::of(&of_host);
    let other_root = compared && !compare::same_root(&own, &of_host);
    let mut rows: Vec<(order::Node, TreeRow)> = own
        .iter()
        .map(|(line, mount)| {
            let (change, elsewhere) = if compared { known.compare(mount) } else { (Change::Same, None) };
            (order::Node::of(mount), row(*line, mount, change, elsewhere))
        })
        .collect();
    if !other_root {
        let missing = compare::missing(&own, &of_host);
        rows.extend(
            missing
                .into_iter()
                .map(|(line, mount)| (order::Node::by_path(mount), row(line, mount, Change::Missing, None))),
        );
    }
    Some(MountTree {
        key: names::key(namespace.key),
        file: table.file.clone(),
        host_file: host_table.map(|t| t.file.clone()),
        other_root,
        rows: order::depth_first(rows),
    })
}

/// A namespace's table as seen from the root that shows most of it.
fn widest_table<'s>(snapshot: &'s Snapshot, namespace: &MountNamespace) -> Option<&'s MountTable> {
    let tables = namespace.tables.iter().filter_map(|id| snapshot.table(*id));
    tables.max_by_key(|table| (table.length, std::cmp::Reverse(&table.file)))
}

fn row(line: u32, mount: &Mount<'_>, change: Change, elsewhere: Option<String>) -> TreeRow {
    TreeRow {
        depth: 0,
        id: mount.id.0,
        mount_point: shown(&mount.mount_point()),
        device: mount.device.to_string(),
        root: shown(&mount.root()),
        fs_type: shown(mount.fs_type),
        source: shown(&mount.source()),
        options: shown(mount.options),
        shared: mount.shared().map(|group| group.0),
        master: mount.master().map(|group| group.0),
        line,
        change,
        elsewhere,
    }
}
