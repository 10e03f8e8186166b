//! How mounts and umounts reach peers and slaves (fs/pnode.c), and how a tree of mounts is copied.

use super::{Mount, Mounts, Ns, below, below_or_empty, join, lowest_free};
use std::collections::BTreeSet;

/// How a copied tree relates to the one it was copied from.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Copy {
    /// Same peer groups and masters.
    Peer,
    /// Slaves of the peer groups.
    Slave,
    /// Slaves, and each in a new peer group.
    SharedSlave,
}

impl Mounts {
    /// Makes a freshly attached tree shared where its parent is, and copies it to where that propagates.
    pub(super) fn propagate_new(&mut self, parent: u32, top: u32) {
        if self.mounts[&parent].group.is_none() {
            return;
        }
        let (mut tree, mut new) = (vec![top], BTreeSet::new());
        while let Some(id) = tree.pop() {
            if self.mounts[&id].group.is_none() {
                let group = lowest_free(&mut self.groups, 1);
                let master = self.mounts[&id].master;
                self.set(id, Some(group), master);
            }
            new.insert(id);
            tree.extend(self.children(id));
        }
        let old = self.mounts.keys().copied().filter(|id| !new.contains(id)).collect();
        for (covered, cover) in self.propagate_tree(parent, top, &old) {
            if let Some(cover) = self.mounts.get_mut(&cover) {
                cover.parent = covered;
            }
        }
    }

    /// Only mounts that were there before take part (`IS_MNT_NEW` in fs/pnode.c): a bind of a shared mount
    /// on itself is a peer of its own parent. Where something is mounted already, the new one comes below it (since
    /// Linux 4.11, `attach_recursive_mnt` in fs/namespace.c): returns such pairs, the lower one first.
    fn propagate_tree(&mut self, parent: u32, top: u32, old: &BTreeSet<u32>) -> Vec<(u32, u32)> {
        let mut tucked = Vec::new();
        let at = self.mounts[&top].mount_point.clone();
        let Some(group) = self.mounts[&parent].group else { return tucked };
        for peer in self.members(|m| m.group == Some(group) && m.id != parent && old.contains(&m.id)) {
            if let Some(at) = self.same_place(parent, &at, peer) {
                let (ns, cover) = (self.mounts[&peer].ns, self.mounted_on(peer, &at));
                let copy = self.copy_tree(top, ns, peer, &at, Copy::Peer);
                tucked.extend(cover.map(|cover| (copy, cover)));
            }
        }
        let mut done = BTreeSet::new();
        for slave in self.members(|m| m.master == Some(group) && old.contains(&m.id)) {
            let (ns, own_group) = (self.mounts[&slave].ns, self.mounts[&slave].group);
            if own_group.is_some_and(|g| !done.insert(g)) {
                continue;
            }
            let Some(at) = self.same_place(parent, &at, slave) else { continue };
            let how = if own_group.is_some() { Copy::SharedSlave } else { Copy::Slave };
            let cover = self.mounted_on(slave, &at);
            let copy = self.copy_tree(top, ns, slave, &at, how);
            tucked.extend(cover.map(|cover| (copy, cover)));
            if own_group.is_some() {
                tucked.extend(self.propagate_tree(slave, copy, old));
            }
        }
        tucked
    }

    /// Every mount that an event at `at` on `parent` reaches, with the place there.
    pub(super) fn targets(&self, parent: u32, at: &str) -> Vec<(u32, String)> {
        let mut targets = Vec::new();
        let Some(first) = self.mounts.get(&parent).and_then(|m| m.group) else { return targets };
        let (mut todo, mut seen) = (vec![first], BTreeSet::new());
        while let Some(group) = todo.pop() {
            if !seen.insert(group) {
                continue;
            }
            for id in self.members(|m| m.id != parent && (m.group == Some(group) || m.master == Some(group)))
            {
                if let Some(at) = self.same_place(parent, at, id) {
                    targets.push((id, at));
                }
                todo.extend(self.mounts[&id].group);
            }
        }
        targets.sort();
        targets.dedup();
        targets
    }

    fn members(&self, wanted: impl Fn(&Mount) -> bool) -> Vec<u32> {
        self.mounts.values().filter(|m| wanted(m)).map(|m| m.id).collect()
    }

    /// Where the directory that is `at` on the mount `from` is on the mount `to`, if it shows it.
    fn same_place(&self, from: u32, at: &str, to: u32) -> Option<String> {
        let (from, to) = (&self.mounts[&from], &self.mounts[&to]);
        let inside = join(&from.root, &below_or_empty(at, &from.mount_point));
        Some(join(&to.mount_point, below(&inside, &to.root)?))
    }

    pub(super) fn copy_tree(&mut self, top: u32, ns: Ns, parent: u32, at: &str, how: Copy) -> u32 {
        let source = self.mounts[&top].clone();
        let copy = self.attach(ns, parent, at, &source.root, &source.fs);
        let (group, master) = match how {
            Copy::Peer => (source.group, source.master),
            Copy::Slave => (None, source.group.or(source.master)),
            Copy::SharedSlave => (Some(lowest_free(&mut self.groups, 1)), source.group.or(source.master)),
        };
        self.set(copy, group, master);
        if let Some(mount) = self.mounts.get_mut(&copy) {
            mount.unbindable = source.unbindable;
        }
        for child in self.children(top) {
            let place = join(at, &below_or_empty(&self.mounts[&child].mount_point, &source.mount_point));
            self.copy_tree(child, ns, copy, &place, how);
        }
        copy
    }
}
