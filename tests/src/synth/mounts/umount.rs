//! What a umount takes along, as `propagate_umount` in fs/pnode.c has it since Linux 4.11.

use super::{Mounts, Ns};
use std::collections::BTreeSet;

impl Mounts {
    /// `umount AT` (with everything below, as `umount -l` does) and its propagation: whatever is mounted at the same
    /// directories elsewhere goes along, but for what has something else inside. What covers one that goes takes its
    /// place.
    pub fn umount(&mut self, ns: Ns, at: &str) {
        let Some(top) = self.at(ns, at).map(|m| m.id) else { return };
        let mut gone = self.subtree(top);
        let mut reached = self.reached_by(&gone);
        loop {
            let stays: Vec<u32> = reached.iter().copied().filter(|id| self.is_kept(*id, &reached)).collect();
            if stays.is_empty() {
                break;
            }
            reached.retain(|id| !stays.contains(id));
        }
        gone.append(&mut reached);
        for id in self.mounts.keys().copied().collect::<Vec<_>>() {
            let mut parent = self.mounts[&id].parent;
            while gone.contains(&parent) && !gone.contains(&id) {
                parent = self.mounts[&parent].parent;
            }
            if let Some(mount) = self.mounts.get_mut(&id) {
                mount.parent = parent;
            }
        }
        for id in gone {
            self.remove(id);
        }
    }

    /// What is mounted where the umounts of these mounts get to.
    fn reached_by(&self, tree: &BTreeSet<u32>) -> BTreeSet<u32> {
        let places =
            tree.iter().map(|id| &self.mounts[id]).flat_map(|m| self.targets(m.parent, &m.mount_point));
        let reached = places.filter_map(|(parent, at)| self.mounted_on(parent, &at));
        reached.filter(|id| !tree.contains(id)).collect()
    }

    fn is_kept(&self, id: u32, going: &BTreeSet<u32>) -> bool {
        let point = &self.mounts[&id].mount_point;
        let mut inside =
            self.children(id).into_iter().filter(|child| self.mounts[child].mount_point != *point);
        inside.any(|child| !going.contains(&child))
    }

    /// The mount on a directory of a mount: there is one at most.
    pub(super) fn mounted_on(&self, parent: u32, at: &str) -> Option<u32> {
        self.children(parent).into_iter().find(|id| self.mounts[id].mount_point == at)
    }

    /// A mount and everything that is mounted inside of it or on top.
    pub(super) fn subtree(&self, top: u32) -> BTreeSet<u32> {
        let (mut tree, mut next) = (BTreeSet::new(), vec![top]);
        while let Some(id) = next.pop() {
            if tree.insert(id) {
                next.extend(self.children(id));
            }
        }
        tree
    }
}
