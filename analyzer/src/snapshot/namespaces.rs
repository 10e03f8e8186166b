//! Groups processes and tables into mount namespaces.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{MountId, NamespaceInode, Pid, Snapshot, TableForm, TableId};
use crate::evidence::Evidence;
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
        let mut claims: BTreeMap<TableId, BTreeMap<NamespaceKey, usize>> = BTreeMap::new();
        for (pid, process) in &self.processes {
            if let Some(inode) = process.mount_namespace {
                let key = NamespaceKey::Inode(inode);
                namespaces.join(key, Some(*pid), process.table);
                if let Some(table) = process.table.filter(|table| self.mount_ids(*table).next().is_some()) {
                    *claims.entry(table).or_default().entry(key).or_default() += 1;
                }
            }
        }
        namespaces.drop_strays(&claims);
        for (inode, table) in pinned_tables {
            if let Some(inode) = inode {
                namespaces.join(NamespaceKey::Inode(*inode), None, Some(*table));
            }
        }
        let unlinked: Vec<(Option<Pid>, TableId)> = self
            .processes
            .iter()
            .filter(|(_, p)| p.mount_namespace.is_none())
            .filter_map(|(pid, p)| Some((Some(*pid), p.table?)))
            .chain(pinned_tables.iter().filter(|(inode, _)| inode.is_none()).map(|(_, table)| (None, *table)))
            .collect();
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
    }

    fn mount_ids(&self, table: TableId) -> impl Iterator<Item = MountId> {
        let with_ids = self.table(table).filter(|t| t.form == TableForm::Mountinfo);
        with_ids.into_iter().flat_map(|t| t.mounts().map(|(_, m)| m.id))
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

    /// Mount ids are unique, so a table is of one namespace. Where it seems to be of several, processes have moved
    /// between the reading of their link and of their table: it is that of most of them, and rather of one that has
    /// no other. `claims` counts processes.
    fn drop_strays(&mut self, claims: &BTreeMap<TableId, BTreeMap<NamespaceKey, usize>>) {
        let most = |of: &BTreeMap<NamespaceKey, usize>| of.values().max().copied();
        let mut unclear: Vec<_> = claims.values().zip(claims.keys()).filter(|(of, _)| of.len() > 1).collect();
        // The clearest first: whoever loses one may have no other than the next.
        order::sort_by_key(&mut unclear, |(of, table)| (Reverse(most(of)), **table));
        for (of, table) in unclear {
            let tables_of = |key: &NamespaceKey| self.0.get(key).map_or(0, |n| n.tables.len());
            let owner =
                of.iter().max_by_key(|(key, count)| (**count, Reverse(tables_of(key)))).map(|(key, _)| *key);
            for key in of.keys().filter(|key| Some(**key) != owner) {
                if let Some(namespace) = self.0.get_mut(key) {
                    namespace.tables.remove(table);
                }
            }
        }
    }
}
