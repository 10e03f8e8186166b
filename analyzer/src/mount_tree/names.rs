//! What the namespaces of a host are called.

use crate::order;
use serde::{Deserialize, Serialize};

use crate::bytes::shown;
use crate::resolve::short;
use crate::snapshot::{MountNamespace, NamespaceKey, Snapshot};

/// A mount namespace in a list to choose from.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamespaceName {
    /// What [`crate::Analysis::mount_tree`] takes: its inode number, or `mount-N` by its lowest mount id where
    /// the bundle has no ns links.
    pub key: String,
    /// `host`, a service, `container cadvisor`, the name of a process, or `no process`.
    pub label: String,
    /// How many processes are in it.
    pub processes: u32,
}

/// All mount namespaces: the host's own first, then by label.
pub(crate) fn names(snapshot: &Snapshot) -> Vec<NamespaceName> {
    let host = snapshot.host_namespace().map(|namespace| namespace.key);
    let mut names: Vec<(bool, NamespaceName)> = snapshot
        .namespaces
        .values()
        .filter(|namespace| !namespace.tables.is_empty())
        .map(|namespace| {
            let is_host = Some(namespace.key) == host;
            let label = if is_host { "host".to_owned() } else { label(snapshot, namespace) };
            let processes = u32::try_from(namespace.pids.len()).unwrap_or(u32::MAX);
            (!is_host, NamespaceName { key: key(namespace.key), label, processes })
        })
        .collect();
    order::sort_by(&mut names, |(a_other, a), (b_other, b)| {
        (a_other, &a.label, &a.key).cmp(&(b_other, &b.label, &b.key))
    });
    names.into_iter().map(|(_, name)| name).collect()
}

/// The stable name of a namespace within its bundle.
pub(super) fn key(key: NamespaceKey) -> String {
    match key {
        NamespaceKey::Inode(inode) => inode.0.to_string(),
        NamespaceKey::LowestMount(id) => format!("mount-{}", id.0),
    }
}

/// By its first process: what systemd or a runtime made is made for that one.
fn label(snapshot: &Snapshot, namespace: &MountNamespace) -> String {
    let first = namespace.pids.first().and_then(|pid| snapshot.processes.get(pid));
    let Some(process) = first else { return "no process".to_owned() };
    if let Some(id) = &process.membership.container {
        let name = snapshot.containers.get(id).and_then(|c| c.record.name.as_deref());
        return format!("container {}", name.map_or_else(|| short(id).to_owned(), |n| shown(n.as_bytes())));
    }
    match &process.membership.unit {
        // A session's scope says less than what runs in it.
        Some(unit) if unit.ends_with(b".service") => shown(unit),
        _ => process.name(),
    }
}
