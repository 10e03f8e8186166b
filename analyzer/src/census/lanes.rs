//! The mounts of one mount namespace, each once, and which of them are a container's.

use std::collections::{HashMap, HashSet};

use super::objects::{Classifier, Object};
use crate::parse::mountinfo::Mount;
use crate::snapshot::{DeviceNumber, MountId, MountTable, NamespaceKey, Placed, Snapshot, TableId};

/// Where a mount stands: its table and its line there.
pub(super) type Line = (TableId, u32);

/// Hands over each mount of a namespace once: seen from several roots, one shows several times.
pub(super) fn each_mount<'s>(snapshot: &'s Snapshot, key: NamespaceKey, visit: &mut dyn FnMut(Placed<'s>)) {
    let Some(namespace) = snapshot.namespaces.get(&key) else { return };
    let mut seen = HashSet::new();
    let has_several = namespace.tables.len() > 1;
    for (id, table) in namespace.tables.iter().filter_map(|id| Some((*id, snapshot.table(*id)?))) {
        for (line, mount) in table.mounts() {
            if !has_several || seen.insert(mount.id) {
                visit(Placed { id, table, line, mount });
            }
        }
    }
}

/// How many lines its tables have.
fn lines(snapshot: &Snapshot, key: NamespaceKey) -> usize {
    let tables = snapshot.namespaces.get(&key).into_iter().flat_map(|namespace| &namespace.tables);
    tables.filter_map(|id| snapshot.table(*id)).map(MountTable::lines).sum()
}

/// A namespace while it is looked at. A host may have a thousand, of as many mounts each.
pub(super) struct Lane<'s> {
    snapshot: &'s Snapshot,
    pub(super) key: NamespaceKey,
    /// How many mounts it has.
    pub(super) mounts: usize,
    /// Those that are a container's.
    pub(super) objects: Vec<(Placed<'s>, Object)>,
    by_id: HashMap<MountId, Line>,
}

impl<'s> Lane<'s> {
    pub(super) fn of(snapshot: &'s Snapshot, classifier: &Classifier, key: NamespaceKey) -> Self {
        let by_id = HashMap::with_capacity(lines(snapshot, key));
        let mut lane = Self { snapshot, key, mounts: 0, objects: Vec::new(), by_id };
        each_mount(snapshot, key, &mut |placed| {
            lane.mounts += 1;
            lane.by_id.entry(placed.mount.id).or_insert((placed.id, placed.line));
            if let Some(object) = classifier.object(&placed.mount) {
                lane.objects.push((placed, object));
            }
        });
        lane
    }

    pub(super) fn parent(&self, mount: &Mount<'_>) -> Option<Mount<'s>> {
        let line = self.by_id.get(&mount.parent).filter(|_| mount.parent != mount.id)?;
        mount_on(self.snapshot, *line)
    }
}

/// A namespace in which the runtime mounts and unmounts, to look for what others have copies of.
pub(super) struct Home<'s> {
    pub(super) lane: Lane<'s>,
    /// By file system and the part of it that is mounted.
    by_part: HashMap<(DeviceNumber, &'s [u8]), Vec<Line>>,
}

impl<'s> Home<'s> {
    pub(super) fn of(snapshot: &'s Snapshot, classifier: &Classifier, key: NamespaceKey) -> Self {
        let mut by_part: HashMap<_, Vec<Line>> = HashMap::new();
        each_mount(snapshot, key, &mut |Placed { id, line, mount, .. }| {
            by_part.entry((mount.device, mount.raw_root)).or_default().push((id, line));
        });
        Self { lane: Lane::of(snapshot, classifier, key), by_part }
    }

    pub(super) fn has(&self, mount: &Mount<'_>) -> bool {
        self.by_part.contains_key(&(mount.device, mount.raw_root))
    }

    /// Its mounts of the same file system, or of the same part of it.
    pub(super) fn same(&self, mount: &Mount<'_>) -> Vec<Mount<'s>> {
        let lines = self.by_part.get(&(mount.device, mount.raw_root)).into_iter().flatten();
        lines.filter_map(|line| mount_on(self.lane.snapshot, *line)).collect()
    }
}

fn mount_on(snapshot: &Snapshot, (table, line): Line) -> Option<Mount<'_>> {
    snapshot.table(table)?.mount_on(line)
}
