//! Processes that changed their mount namespace between the reading of their link and of their table.
//!
//! The collector asks until both fit together; other tools do not. Mount ids are unique, so all tables that have one
//! root mount are of one namespace, and a namespace has one root mount. Counting processes would not do: several may
//! move at once. Pid 1 does not move; of the rest the most namespaces have a table of their own. Only what is so in
//! every such order of things is taken for certain.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::namespaces::NamespaceKey;
use super::{MountId, NamespaceInode, Pid, Snapshot, TableForm, TableId};
use crate::order;
use crate::parse::mountinfo::Mount;

/// Which namespace a table is of, where links tell several or none that can be: `None` where nothing settles it.
pub(super) type Owners = BTreeMap<TableId, Option<NamespaceKey>>;

/// Tables that show their whole namespace, or that several namespaces' processes have.
#[derive(Default)]
struct Choice {
    /// The tables that each namespace's processes have: first as they are, then one for all of the same root mount.
    of: BTreeMap<NamespaceKey, BTreeSet<TableId>>,
    /// Where pid 1 is.
    first: Option<(NamespaceKey, TableId)>,
    /// From each table on to another one with the same root mount.
    same: BTreeMap<TableId, TableId>,
}

impl Snapshot {
    /// Whose the tables are that processes of several namespaces have, or of namespaces whose processes have several.
    /// `entered` are tables that the collector read inside of a namespace.
    pub(super) fn owners(&self, entered: &[(Option<NamespaceInode>, TableId)]) -> Owners {
        let mut choice = self.choice(entered);
        if choice.of.values().all(|tables| tables.len() < 2) && !choice.is_contested() {
            return Owners::new();
        }
        for tables in choice.of.values().filter(|tables| tables.len() > 1).cloned().collect::<Vec<_>>() {
            self.unite(tables, &mut choice);
        }
        let groups = choice.grouped();
        let owner_of = settle(&groups, choice.first.map(|(key, table)| (key, choice.group(table))));
        let tables: Vec<TableId> = choice.same.keys().copied().collect();
        let owned = tables.into_iter().map(|table| (table, choice.group(table)));
        order::map(owned.filter_map(|(table, group)| Some((table, *owner_of.get(&group)?))))
    }

    fn choice(&self, entered: &[(Option<NamespaceInode>, TableId)]) -> Choice {
        let mut choice = Choice::default();
        let mut keys_of: BTreeMap<TableId, BTreeSet<NamespaceKey>> = BTreeMap::new();
        let linked = self.processes.iter().filter_map(|(pid, process)| {
            let key = NamespaceKey::Inode(process.mount_namespace?);
            let table = process.table.filter(|id| self.mount_ids(*id).next().is_some())?;
            Some((Some(*pid), key, table, process.root.as_deref().is_none_or(|root| root == b"/")))
        });
        let entered = entered
            .iter()
            .filter_map(|(inode, table)| Some((None, NamespaceKey::Inode((*inode)?), *table, true)));
        let linked: Vec<_> = linked.chain(entered).collect();
        for (_, key, table, _) in &linked {
            keys_of.entry(*table).or_default().insert(*key);
        }
        for (pid, key, table, is_whole) in linked {
            if is_whole || keys_of.get(&table).is_some_and(|keys| keys.len() > 1) {
                choice.of.entry(key).or_default().insert(table);
                choice.same.insert(table, table);
                choice.first = choice.first.or(Some((key, table)).filter(|_| pid == Some(Pid(1))));
            }
        }
        choice
    }

    /// Brings together those of one namespace's tables that have the same root mount: the table changes while one
    /// process after the other is read. Only the root's id tells: that of another mount is used again at once.
    fn unite(&self, tables: BTreeSet<TableId>, choice: &mut Choice) {
        let mut largest_first: Vec<TableId> = tables.into_iter().collect();
        order::sort_by_key(&mut largest_first, |id| (Reverse(self.table(*id).map_or(0, |t| t.length)), *id));
        let mut seen: HashMap<MountId, TableId> = HashMap::new();
        for id in largest_first {
            let Some(table) = self.table(id) else { continue };
            let ids: BTreeSet<MountId> = table.mounts().map(|(_, mount)| mount.id).collect();
            let is_root = |m: &Mount<'_>| m.parent == m.id || !ids.contains(&m.parent);
            let roots = table.mounts().filter(|(_, mount)| is_root(mount));
            if let Some(known) = roots.filter_map(|(_, mount)| seen.get(&mount.id)).next() {
                let (known, this) = (choice.group(*known), choice.group(id));
                choice.same.insert(this, known);
            }
            for mount in ids {
                seen.entry(mount).or_insert(id);
            }
        }
    }

    pub(super) fn mount_ids(&self, table: TableId) -> impl Iterator<Item = MountId> {
        let with_ids = self.table(table).filter(|t| t.form == TableForm::Mountinfo);
        with_ids.into_iter().flat_map(|t| t.mounts().map(|(_, m)| m.id))
    }
}

impl Choice {
    fn is_contested(&self) -> bool {
        self.of.values().map(BTreeSet::len).sum::<usize>() > self.same.len()
    }

    /// The table that stands for all with its root mount.
    fn group(&mut self, table: TableId) -> TableId {
        let mut last = table;
        while let Some(next) = self.same.get(&last).copied().filter(|next| *next != last) {
            last = next;
        }
        let mut at = table;
        while at != last {
            at = self.same.insert(at, last).unwrap_or(last);
        }
        last
    }

    fn grouped(&mut self) -> BTreeMap<NamespaceKey, BTreeSet<TableId>> {
        let of = std::mem::take(&mut self.of);
        let mut grouped =
            |tables: BTreeSet<TableId>| order::set(tables.into_iter().map(|table| self.group(table)));
        order::map(of.into_iter().map(|(key, tables)| (key, grouped(tables))))
    }
}

/// Above so many that may be each other's nothing is settled: it is tried out.
const MOST_CHOICES: usize = 200;

/// Each namespace has one group, and each group is of one namespace.
fn settle(
    groups: &BTreeMap<NamespaceKey, BTreeSet<TableId>>,
    first: Option<(NamespaceKey, TableId)>,
) -> BTreeMap<TableId, Option<NamespaceKey>> {
    let pairs = groups.iter().flat_map(|(key, tables)| tables.iter().map(|table| (*key, *table)));
    let is_possible = |(key, table): &(NamespaceKey, TableId)| match first {
        Some((k, t)) => (k == *key) == (t == *table),
        None => true,
    };
    let mut keys_of: BTreeMap<TableId, Vec<NamespaceKey>> = BTreeMap::new();
    let mut tables_of: BTreeMap<NamespaceKey, usize> = BTreeMap::new();
    let mut owners = BTreeMap::new();
    for (key, table) in pairs {
        owners.insert(table, None);
        if is_possible(&(key, table)) {
            keys_of.entry(table).or_default().push(key);
            *tables_of.entry(key).or_default() += 1;
        }
    }
    let is_free =
        |keys: &[NamespaceKey]| keys.len() == 1 && keys.iter().all(|key| tables_of.get(key) == Some(&1));
    let (settled, open): (Vec<_>, Vec<_>) = keys_of.into_iter().partition(|(_, keys)| is_free(keys));
    owners.extend(settled.into_iter().map(|(table, keys)| (table, keys.first().copied())));
    let open: BTreeMap<TableId, Vec<NamespaceKey>> = order::map(open);
    if open.values().map(Vec::len).sum::<usize>() <= MOST_CHOICES {
        owners.extend(Matching::without(&open, None).certain());
    }
    owners
}

/// As many namespaces as possible with a group of their own.
struct Matching<'a> {
    keys_of: &'a BTreeMap<TableId, Vec<NamespaceKey>>,
    table_of: BTreeMap<NamespaceKey, TableId>,
}

impl<'a> Matching<'a> {
    fn without(
        keys_of: &'a BTreeMap<TableId, Vec<NamespaceKey>>,
        not: Option<(NamespaceKey, TableId)>,
    ) -> Self {
        let mut matching = Self { keys_of, table_of: BTreeMap::new() };
        for table in keys_of.keys() {
            matching.place(*table, not, &mut BTreeSet::new());
        }
        matching
    }

    /// Gives the group a namespace, if need be one that another group can do without.
    fn place(
        &mut self,
        table: TableId,
        not: Option<(NamespaceKey, TableId)>,
        tried: &mut BTreeSet<NamespaceKey>,
    ) -> bool {
        let keys_of = self.keys_of;
        for key in keys_of.get(&table).into_iter().flatten() {
            if not == Some((*key, table)) || !tried.insert(*key) {
                continue;
            }
            let other = self.table_of.get(key).copied();
            if other.is_none_or(|other| self.place(other, not, tried)) {
                self.table_of.insert(*key, table);
                return true;
            }
        }
        false
    }

    /// Those without which fewer namespaces would have one.
    fn certain(self) -> BTreeMap<TableId, Option<NamespaceKey>> {
        let size = self.table_of.len();
        let pairs = self.table_of.iter().map(|(key, table)| (*table, *key));
        let needed = |(table, key): &(TableId, NamespaceKey)| {
            let without = Self::without(self.keys_of, Some((*key, *table)));
            without.table_of.len() < size
        };
        order::map(pairs.filter(needed).map(|(table, key)| (table, Some(key))))
    }
}
