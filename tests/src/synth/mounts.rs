//! Mount namespaces as the kernel keeps them: mount ids, peer groups, propagation of mounts and umounts
//! (Documentation/filesystems/sharedsubtree.rst, fs/pnode.c), so that a synthetic host gets the tables
//! that a real one would have had after the same calls.

mod paths;
mod propagation;
mod umount;

use propagation::Copy;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

/// A mount namespace of a synthetic host.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ns(pub(super) usize);

/// A file system as it can be mounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fs {
    /// Major and minor number as mountinfo shows them.
    pub device: (u32, u32),
    /// Type, e.g. `xfs`.
    pub fs_type: String,
    /// Source; may be empty or have blanks.
    pub source: String,
    /// Options of each mount of it.
    pub options: String,
    /// Options of the super block.
    pub super_options: String,
}

impl Fs {
    /// A file system mounted `rw,relatime`.
    pub fn new(device: (u32, u32), fs_type: &str, source: &str, super_options: &str) -> Self {
        Self {
            device,
            fs_type: fs_type.into(),
            source: source.into(),
            options: "rw,relatime".into(),
            super_options: super_options.into(),
        }
    }

    /// The same with other mount options.
    #[must_use]
    pub fn options(mut self, options: &str) -> Self {
        self.options = options.into();
        self
    }
}

/// A mount in one namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Unique over all namespaces.
    pub id: u32,
    /// Id of the mount that it is mounted on.
    pub parent: u32,
    /// Namespace that it is in.
    pub ns: Ns,
    /// Where, as a process with the namespace's root sees it.
    pub mount_point: String,
    /// Which directory of the file system it shows.
    pub root: String,
    /// What is mounted.
    pub fs: Fs,
    /// Peer group (`shared:N`).
    pub group: Option<u32>,
    /// Peer group that it is a slave of (`master:N`).
    pub master: Option<u32>,
    /// True after `mount --make-unbindable`.
    pub unbindable: bool,
}

/// Propagation types of mount(2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Propagation {
    /// `MS_SHARED`
    Shared,
    /// `MS_SLAVE`
    Slave,
    /// `MS_PRIVATE`
    Private,
    /// `MS_UNBINDABLE`
    Unbindable,
}

/// All mounts of a host.
#[derive(Debug, Clone, Default)]
pub struct Mounts {
    mounts: BTreeMap<u32, Mount>,
    /// For each namespace: the id of its hidden root mount, then the visible ones in table order.
    namespaces: Vec<(u32, Vec<u32>)>,
    /// Numbers in use, as the kernel hands out the lowest free one (`ida_alloc`).
    ids: BTreeSet<u32>,
    /// Of these, the mounts that something refers to: they live on after a umount, and so do their numbers.
    referred: BTreeSet<u32>,
    groups: BTreeSet<u32>,
}

impl Mounts {
    /// Something has a file of that mount open: its number is not given to another one (`mnt_free_id` comes last).
    pub fn refer(&mut self, id: u32) {
        self.referred.insert(id);
    }

    /// A namespace with nothing but `fs` mounted on `/`.
    pub fn new_namespace(&mut self, fs: &Fs) -> Ns {
        let hidden = lowest_free(&mut self.ids, 1);
        let ns = Ns(self.namespaces.len());
        self.namespaces.push((hidden, Vec::new()));
        self.attach(ns, hidden, "/", "/", fs);
        ns
    }

    /// `clone(CLONE_NEWNS)`: shared mounts stay in their peer groups, slaves keep their masters.
    pub fn copy_of(&mut self, ns: Ns) -> Ns {
        let hidden = lowest_free(&mut self.ids, 1);
        let copy = Ns(self.namespaces.len());
        self.namespaces.push((hidden, Vec::new()));
        if let Some(top) = self.namespaces[ns.0].1.first().copied() {
            self.copy_tree(top, copy, hidden, "/", Copy::Peer);
        }
        copy
    }

    /// `unshare -m --propagation …`, or a service with `MountFlags=…`: a copy whose mounts are then all
    /// made `propagation`.
    pub fn copy_with(&mut self, ns: Ns, propagation: Propagation) -> Ns {
        let copy = self.copy_of(ns);
        self.make(copy, "/", true, propagation);
        copy
    }

    /// Mounts `fs` at `at` and lets it propagate. Returns the new mount's id.
    pub fn mount(&mut self, ns: Ns, at: &str, fs: &Fs) -> u32 {
        self.mount_root(ns, at, fs, "/")
    }

    /// Like [`Self::mount`], showing the directory `root` of the file system.
    pub fn mount_root(&mut self, ns: Ns, at: &str, fs: &Fs, root: &str) -> u32 {
        let parent = self.covering(ns, at).id;
        let id = self.attach(ns, parent, at, root, fs);
        self.propagate_new(parent, id);
        id
    }

    /// `mount --bind FROM AT` (`--rbind` with `recursive`).
    pub fn bind(&mut self, ns: Ns, from: &str, at: &str, recursive: bool) -> u32 {
        let source = self.covering(ns, from).clone();
        let parent = self.covering(ns, at).id;
        let inside = self.subtree(source.id);
        let inside = |m: &&Mount| inside.contains(&m.id) && below(&m.mount_point, from).is_some();
        let mut waiting: Vec<Mount> = self
            .table(ns)
            .filter(|m| recursive && m.id != source.id && !m.unbindable)
            .filter(inside)
            .cloned()
            .collect();
        let rest = below_or_empty(from, &source.mount_point);
        let top = self.attach(ns, parent, at, &join(&source.root, &rest), &source.fs);
        self.set(top, source.group, source.master);
        let mut copies = BTreeMap::from([(source.id, top)]);
        // What covers another one may stand before it in the table. What is on an unbindable one is left out, too.
        loop {
            let (now, later): (Vec<Mount>, Vec<Mount>) =
                waiting.into_iter().partition(|m| copies.contains_key(&m.parent));
            if now.is_empty() {
                break;
            }
            for m in now {
                let place = join(at, &below_or_empty(&m.mount_point, from));
                let id = self.attach(ns, copies[&m.parent], &place, &m.root, &m.fs);
                self.set(id, m.group, m.master);
                copies.insert(m.id, id);
            }
            waiting = later;
        }
        self.propagate_new(parent, top);
        top
    }

    /// `mount --make-{shared,slave,private,unbindable} AT` (`--make-r…` with `recursive`).
    pub fn make(&mut self, ns: Ns, at: &str, recursive: bool, propagation: Propagation) {
        let Some(top) = self.at(ns, at).map(|m| m.id) else { return };
        let ids = if recursive { self.subtree(top) } else { BTreeSet::from([top]) };
        let ids: Vec<u32> = self.table(ns).map(|m| m.id).filter(|id| ids.contains(id)).collect();
        for id in ids {
            let (group, master) = (self.mounts[&id].group, self.mounts[&id].master);
            let others =
                group.is_some_and(|g| self.mounts.values().any(|m| m.group == Some(g) && m.id != id));
            match propagation {
                Propagation::Shared => {
                    let group = group.unwrap_or_else(|| lowest_free(&mut self.groups, 1));
                    self.set(id, Some(group), master);
                }
                Propagation::Slave => self.set(id, None, if others { group } else { master }),
                Propagation::Private | Propagation::Unbindable => self.set(id, None, None),
            }
            if let Some(mount) = self.mounts.get_mut(&id) {
                mount.unbindable = propagation == Propagation::Unbindable;
            }
        }
    }

    /// `pivot_root` onto the mount at `root`, the old root being unmounted lazily.
    pub fn pivot_root(&mut self, ns: Ns, root: &str) {
        let hidden = self.namespaces[ns.0].0;
        let Some(top) = self.at(ns, root).map(|m| m.id) else { return };
        let kept = self.subtree(top);
        let gone: Vec<u32> = self.table(ns).map(|m| m.id).filter(|id| !kept.contains(id)).collect();
        for id in gone {
            self.remove(id);
        }
        for id in self.namespaces[ns.0].1.clone() {
            if let Some(mount) = self.mounts.get_mut(&id) {
                mount.mount_point = join("/", &below_or_empty(&mount.mount_point, root));
                if id == top {
                    mount.parent = hidden;
                }
            }
        }
    }

    /// The mounts of a namespace in the order of its table.
    pub fn table(&self, ns: Ns) -> impl DoubleEndedIterator<Item = &Mount> {
        self.namespaces[ns.0].1.iter().filter_map(|id| self.mounts.get(id))
    }

    /// `/proc/PID/mountinfo` of a process in `ns` whose root directory is `root`.
    pub fn mountinfo(&self, ns: Ns, root: &str) -> String {
        self.mountinfo_from(ns, root, self.covering(ns, root).id)
    }

    /// The same of one whose root directory is on the mount `on`, where a later mount may cover it.
    pub fn mountinfo_from(&self, ns: Ns, root: &str, on: u32) -> String {
        let mut text = String::new();
        for m in self.seen_from(ns, root, on) {
            let rest = below(&m.mount_point, root).unwrap_or_default();
            let (major, minor) = m.fs.device;
            let _ = write!(text, "{} {} {major}:{minor} {} ", m.id, m.parent, escape(&m.root));
            let _ = write!(text, "{} {}", escape(&join("/", rest)), m.fs.options);
            if let Some(group) = m.group {
                let _ = write!(text, " shared:{group}");
            }
            if let Some(master) = m.master {
                let _ = write!(text, " master:{master}");
                if let Some(from) = self.dominating(m, root, on).filter(|from| *from != master) {
                    let _ = write!(text, " propagate_from:{from}");
                }
            }
            if m.unbindable {
                text.push_str(" unbindable");
            }
            let source = escape(&m.fs.source).replace('#', "\\043");
            let _ = writeln!(text, " - {} {source} {}", m.fs.fs_type, m.fs.super_options);
        }
        text
    }

    /// Nearest peer group up the chain of masters that has a member below `root` (`get_dominating_id`).
    fn dominating(&self, mount: &Mount, root: &str, on: u32) -> Option<u32> {
        let mut master = mount.master;
        while let Some(group) = master {
            let mut members = self.mounts.values().filter(|m| m.group == Some(group));
            if members.clone().any(|m| m.ns == mount.ns && self.is_seen(m, root, on)) {
                return Some(group);
            }
            master = members.next().and_then(|m| m.master);
        }
        None
    }

    fn attach(&mut self, ns: Ns, parent: u32, at: &str, root: &str, fs: &Fs) -> u32 {
        let id = lowest_free(&mut self.ids, 15);
        let mount = Mount {
            id,
            parent,
            ns,
            mount_point: at.into(),
            root: root.into(),
            fs: fs.clone(),
            group: None,
            master: None,
            unbindable: false,
        };
        self.mounts.insert(id, mount);
        self.namespaces[ns.0].1.push(id);
        id
    }

    /// Changes group and master of a mount; a peer group that lost its last member hands its slaves
    /// to its own master (`do_make_slave` in fs/pnode.c).
    fn set(&mut self, id: u32, group: Option<u32>, master: Option<u32>) {
        let Some(mount) = self.mounts.get_mut(&id) else { return };
        let (old_group, old_master) = (mount.group, mount.master);
        (mount.group, mount.master) = (group, master);
        self.settle_group(old_group, old_master);
    }

    fn settle_group(&mut self, group: Option<u32>, master: Option<u32>) {
        let Some(group) = group else { return };
        if self.mounts.values().any(|m| m.group == Some(group)) {
            return;
        }
        self.groups.remove(&group);
        for slave in self.mounts.values_mut().filter(|m| m.master == Some(group)) {
            slave.master = master;
        }
    }

    fn remove(&mut self, id: u32) {
        let Some(mount) = self.mounts.remove(&id) else { return };
        if !self.referred.contains(&id) {
            self.ids.remove(&id);
        }
        self.namespaces[mount.ns.0].1.retain(|other| *other != id);
        self.settle_group(mount.group, mount.master);
    }

    fn children(&self, id: u32) -> Vec<u32> {
        let Some(mount) = self.mounts.get(&id) else { return Vec::new() };
        self.table(mount.ns).filter(|m| m.parent == id).map(|m| m.id).collect()
    }
}

fn lowest_free(used: &mut BTreeSet<u32>, from: u32) -> u32 {
    let free = (from..).find(|number| !used.contains(number)).unwrap_or(u32::MAX);
    used.insert(free);
    free
}

/// `path` relative to `base`, by path component: `below("/a/bc", "/a/b")` is `None`.
pub(super) fn below<'a>(path: &'a str, base: &str) -> Option<&'a str> {
    let rest = path.strip_prefix(base.trim_end_matches('/'))?;
    (rest.is_empty() || rest.starts_with('/')).then(|| rest.trim_start_matches('/'))
}

fn below_or_empty(path: &str, base: &str) -> String {
    below(path, base).unwrap_or_default().to_owned()
}

pub(super) fn join(base: &str, rest: &str) -> String {
    match rest {
        "" => base.to_owned(),
        rest => format!("{}/{rest}", base.trim_end_matches('/')),
    }
}

/// The octal escapes of `mangle_path` in fs/seq_file.c.
pub(super) fn escape(path: &str) -> String {
    path.replace('\\', "\\134").replace(' ', "\\040").replace('\t', "\\011").replace('\n', "\\012")
}
