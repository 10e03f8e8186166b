//! Where paths lead and what a process sees: a mount that another one covers is still there, but no path leads to it.

use super::{Mount, Mounts, Ns, below, below_or_empty, join};

impl Mounts {
    /// The root of a namespace, whatever covers it.
    pub fn root(&self, ns: Ns) -> &Mount {
        let hidden = self.namespaces[ns.0].0;
        self.table(ns).find(|m| m.parent == hidden).expect("every namespace has a mount at /")
    }

    /// The mount that a path leads to: from the root on, into each mount that is met on the way (`follow_managed` in
    /// fs/namei.c).
    pub fn covering(&self, ns: Ns, path: &str) -> &Mount {
        let mut here = self.root(ns);
        loop {
            let on_the_way =
                self.table(ns).filter(|m| m.parent == here.id && below(path, &m.mount_point).is_some());
            match on_the_way.min_by_key(|m| m.mount_point.trim_end_matches('/').len()) {
                Some(next) => here = next,
                None => return here,
            }
        }
    }

    /// The mount that a path leads to, where that is its mount point: the uppermost one there, if none above hides it.
    pub fn at(&self, ns: Ns, path: &str) -> Option<&Mount> {
        Some(self.covering(ns, path)).filter(|m| m.mount_point == path)
    }

    /// The directory that a mount is on: device of the file system there, and path in that. The root of a namespace
    /// is on none.
    pub fn directory(&self, mount: &Mount) -> Option<((u32, u32), String)> {
        let parent = self.mounts.get(&mount.parent)?;
        let inside = join(&parent.root, &below_or_empty(&mount.mount_point, &parent.mount_point));
        Some((parent.fs.device, inside))
    }

    /// What the table of a process shows whose root directory is `root` on the mount `on`: the mounts from which the
    /// way up leads there (`seq_path_root` in fs/seq_file.c). What covers a directory above does not hide them.
    pub fn seen_from(&self, ns: Ns, root: &str, on: u32) -> impl Iterator<Item = &Mount> {
        self.table(ns).filter(move |m| self.is_seen(m, root, on))
    }

    pub(super) fn is_seen(&self, mount: &Mount, root: &str, on: u32) -> bool {
        if mount.id == on {
            return mount.mount_point == root;
        }
        let mut m = mount;
        while m.parent != on {
            let Some(parent) = self.mounts.get(&m.parent) else { return false };
            m = parent;
        }
        below(&m.mount_point, root).is_some()
    }
}
