//! Groups processes and tables into mount namespaces.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{MountId, NamespaceInode, Pid, Snapshot, TableId};
use crate::evidence::{Diagnostic, Evidence};
use crate::order;

/// What tells namespaces apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NamespaceKey {
    /// Its inode.
    Inode(NamespaceInode),
    /// Where the bundle has no ns links: the lowest mount id in its tables. Mount ids are unique over all
    /// mount namespaces of a running kernel, so tables that share one are of one namespace.
    LowestMount(MountId),
}

/// A mount namespace.
#[derive(Debug, Clone)]
pub struct MountNamespace {
    /// What tells it apart.
    pub key: NamespaceKey,
    /// Processes in it.
    pub pids: BTreeSet<Pid>,
    /// Its table as seen from each root that a process of it has.
    pub tables: BTreeSet<TableId>,
    /// What keeps it where no process does.
    pub kept_by: Vec<Evidence>,
}

impl MountNamespace {
    /// Inode, where known.
    pub fn inode(&self) -> Option<u64> {
        match self.key {
            NamespaceKey::Inode(inode) => Some(inode.0),
            NamespaceKey::LowestMount(_) => None,
        }
    }
}

impl Snapshot {
    /// Fills [`Snapshot::namespaces`] from the processes and from tables of namespaces without a process.
    pub(super) fn group_namespaces(&mut self, pinned_tables: &[(Option<NamespaceInode>, TableId)]) {
        let mut namespaces = Grouping::default();
        let owners = self.owners(pinned_tables);
        let mut moved = Vec::new();
        let mut unlinked = Vec::new();
        for (pid, process) in &self.processes {
            let link = process.mount_namespace.map(NamespaceKey::Inode);
            let owner = process.table.and_then(|table| owners.get(&table)).filter(|_| link.is_some());
            let key = owner.copied().unwrap_or(link);
            if key != link {
                moved.push((*pid, process.name()));
            }
            match (key, process.table) {
                (Some(key), table) => namespaces.join(key, Some(*pid), table),
                (None, Some(table)) => unlinked.push((Some(*pid), table)),
                (None, None) => {}
            }
        }
        for (inode, table) in pinned_tables {
            if let Some(inode) = inode {
                namespaces.join(NamespaceKey::Inode(*inode), None, Some(*table));
            }
        }
        let nameless = pinned_tables.iter().filter(|(inode, _)| inode.is_none());
        unlinked.extend(nameless.map(|(_, table)| (None, *table)));
        if !unlinked.is_empty() {
            let mut owner = HashMap::new();
            for (key, namespace) in &namespaces.0 {
                for id in namespace.tables.iter().flat_map(|t| self.mount_ids(*t)) {
                    owner.insert(id, *key);
                }
            }
            let keys = self.derive_keys(&order::set(unlinked.iter().map(|(_, table)| *table)), owner);
            for (pid, table) in unlinked {
                if let Some(key) = keys.get(&table) {
                    namespaces.join(*key, pid, Some(table));
                }
            }
        }
        self.namespaces = namespaces.0;
        self.say_moved(&moved);
    }

    fn say_moved(&mut self, moved: &[(Pid, String)]) {
        let Some((pid, name)) = moved.first() else { return };
        let others = match moved.len() {
            1 => String::new(),
            more => format!(" and {} more processes", more - 1),
        };
        self.diagnostics.push(Diagnostic {
            code: "process-moved".into(),
            file: Some(format!("proc/{}/ns/mnt", pid.0)),
            line: None,
            message: format!(
                "{name} ({}){others} changed the mount namespace while being read: the link tells another one than the \
                 mount table.",
                pid.0
            ),
            advice: "Each is shown in the namespace whose table it has. Before you enter a namespace through one of \
                     them, look where it is now: readlink /proc/PID/ns/mnt."
                .into(),
        });
    }

    /// Largest tables first: a process with another root shows a part of its namespace's mounts only.
    fn derive_keys(
        &self,
        tables: &BTreeSet<TableId>,
        mut owner: HashMap<MountId, NamespaceKey>,
    ) -> BTreeMap<TableId, NamespaceKey> {
        let mut by_size: Vec<TableId> = tables.iter().copied().collect();
        order::sort_by_key(&mut by_size, |t| (Reverse(self.table(*t).map_or(0, |t| t.length)), *t));
        let mut keys = BTreeMap::new();
        for table in by_size {
            let ids: Vec<MountId> = self.mount_ids(table).collect();
            // A table without mount ids is taken for a namespace of its own; the kernel counts ids from 1 up.
            let from_end = u32::try_from(self.tables.len().saturating_sub(table.0));
            let own = from_end.ok().map(|n| MountId(u32::MAX - n));
            let Some(lowest) = ids.iter().min().or(own.as_ref()) else { continue };
            let key = ids
                .iter()
                .find_map(|id| owner.get(id).copied())
                .unwrap_or(NamespaceKey::LowestMount(*lowest));
            for id in ids {
                owner.entry(id).or_insert(key);
            }
            keys.insert(table, key);
        }
        keys
    }
}

#[derive(Default)]
struct Grouping(BTreeMap<NamespaceKey, MountNamespace>);

impl Grouping {
    fn join(&mut self, key: NamespaceKey, pid: Option<Pid>, table: Option<TableId>) {
        let namespace = self.0.entry(key).or_insert_with(|| MountNamespace {
            key,
            pids: BTreeSet::new(),
            tables: BTreeSet::new(),
            kept_by: Vec::new(),
        });
        namespace.pids.extend(pid);
        namespace.tables.extend(table);
    }
}
