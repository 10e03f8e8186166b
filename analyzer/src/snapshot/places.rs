//! Which directory a mount lies on. Every namespace shows the host's directories under its own paths, and the same file
//! system can be mounted in several places: a directory is the same one where device and path in its file system are.

use std::collections::{BTreeMap, BTreeSet};

use super::{DeviceNumber, MountId, MountTable, Pid, Snapshot, TableForm, TableId};
use crate::bytes::{components, is_at_or_below, same_path};
use crate::order;
use crate::parse::mountinfo::Mount;

/// A directory by the device of its file system and its path in that.
pub(crate) type Place = (DeviceNumber, Vec<u8>);

/// The mounts of one table by their ids: their rows, as a mount is read again in less time than it is kept.
pub(crate) struct Places<'t> {
    table: &'t MountTable,
    rows: Vec<(MountId, usize)>,
}

impl<'t> Places<'t> {
    /// Those of a table; none for listings without mount ids.
    pub(crate) fn of(table: &'t MountTable) -> Self {
        let has_ids = table.form == TableForm::Mountinfo;
        let rows = (0..).zip(table.rows.iter()).filter(|_| has_ids);
        let mut rows: Vec<(MountId, usize)> =
            rows.filter_map(|(index, row)| Some((table.mount(row)?.id, index))).collect();
        order::sort(&mut rows);
        // Of two with one id the last counts.
        rows.dedup_by(|later, earlier| {
            let is_same = later.0 == earlier.0;
            if is_same {
                earlier.1 = later.1;
            }
            is_same
        });
        Self { table, rows }
    }

    fn get(&self, id: MountId) -> Option<Mount<'t>> {
        let at = self.rows.binary_search_by_key(&id, |(id, _)| *id).ok()?;
        self.table.mount(self.table.rows.get(self.rows[at].1)?)
    }

    /// All of them by their ids.
    fn all(&self) -> impl Iterator<Item = Mount<'t>> {
        self.rows.iter().filter_map(|(_, index)| self.table.mount(self.table.rows.get(*index)?))
    }

    /// The directory that a mount lies on; `None` where the table does not show the mount below it.
    pub(crate) fn under(&self, mount: &Mount<'_>) -> Option<Place> {
        let parent = self.get(mount.parent).filter(|parent| parent.id != mount.id)?;
        place_on(&parent, &mount.mount_point())
    }

    /// The directory at a path, below all that is mounted there.
    pub(crate) fn at(&self, path: &[u8]) -> Option<Place> {
        let on_it = |m: &Mount<'_>| same_path(&m.mount_point(), path);
        let lowest = self.all().find(|m| on_it(m) && self.get(m.parent).is_none_or(|p| !on_it(&p)));
        if let Some(lowest) = lowest {
            return self.under(&lowest);
        }
        // The last one mounted covers the others at the same place.
        let covers = |m: &Mount<'_>| is_at_or_below(path, &m.mount_point());
        let longest = self.all().filter(covers).max_by_key(|m| (m.raw_mount_point.len(), m.id))?;
        place_on(&longest, path)
    }

    /// A path that leads to a directory in this table.
    fn path_to(&self, (device, inside): &Place) -> Option<Vec<u8>> {
        let shows = |m: &Mount<'_>| m.device == *device && is_at_or_below(inside, &m.root());
        let on = self.all().filter(shows).min_by_key(|m| (m.raw_mount_point.len(), m.id))?;
        let rest = &plain(inside)[plain(&on.root()).len()..];
        Some([&plain(&on.mount_point())[..], rest].concat())
    }
}

impl Snapshot {
    /// The path in the daemon's namespace of the directory that a mount of some table lies on.
    pub(crate) fn daemons_path_under(&self, table: &MountTable, mount: &Mount<'_>) -> Option<Vec<u8>> {
        let place = Places::of(table).under(mount)?;
        let tables = &self.daemon_namespace()?.tables;
        tables.iter().filter_map(|id| self.table(*id)).find_map(|table| Places::of(table).path_to(&place))
    }

    /// Whether a table is seen from its namespace's own root, not from a chroot: a process whose root is `/` shows it,
    /// or the collector went into the namespace to read it.
    pub(crate) fn is_from_root(&self, table: TableId) -> bool {
        let mut of_it = self.processes.values().filter(|p| p.table == Some(table)).peekable();
        match of_it.peek() {
            Some(_) => of_it.any(|p| p.root.as_deref().is_some_and(is_root)),
            None => self.namespaces.values().any(|n| n.tables.contains(&table)),
        }
    }

    /// Living processes of whose mount namespace no table shows all: what is mounted there cannot be seen.
    pub(crate) fn unseen_processes(&self) -> usize {
        // Where roots of processes are not told, a table with a mount at `/` is taken for its namespace's.
        let mut is_from_root: BTreeMap<TableId, bool> = BTreeMap::new();
        for process in self.processes.values() {
            if let Some(table) = process.table {
                *is_from_root.entry(table).or_default() |= process.root.as_deref().is_none_or(is_root);
            }
        }
        let has_root = |table: &MountTable| table.mounts().any(|(_, mount)| mount.raw_mount_point == b"/");
        let shows_all = |id: &TableId| {
            is_from_root.get(id).copied().unwrap_or(true) && self.table(*id).is_some_and(has_root)
        };
        let shown = self.namespaces.values().filter(|n| n.tables.iter().any(shows_all));
        let seen: BTreeSet<Pid> = order::set(shown.flat_map(|n| n.pids.iter().copied()));
        self.processes.iter().filter(|(pid, process)| process.is_alive() && !seen.contains(pid)).count()
    }
}

fn is_root(path: &[u8]) -> bool {
    // Some archivers write it as `//`.
    path.starts_with(b"/") && components(path).next().is_none()
}

/// The directory that a namespace shows at `path` on the mount `on`.
pub(crate) fn place_on(on: &Mount<'_>, path: &[u8]) -> Option<Place> {
    let point = on.mount_point();
    if !is_at_or_below(path, &point) {
        return None;
    }
    let rest = &plain(path)[plain(&point).len()..];
    Some((on.device, [&plain(&on.root())[..], rest].concat()))
}

/// A path without doubled and last slashes; the root is empty.
fn plain(path: &[u8]) -> Vec<u8> {
    components(path).flat_map(|c| [b"/", c].concat()).collect()
}
