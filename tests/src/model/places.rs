//! What can be busy and is no container's: a file system that an administrator mounted, and a named network namespace.

use super::plan::{PlaceStep, Reference};
use super::world::{Object, World};
use crate::synth::{Block, Fs, Link, Mount, Ns};

/// A directory or file that something is mounted on.
#[derive(Debug, Clone)]
pub struct Place {
    /// What is mounted, and where.
    pub object: Object,
    /// Whether it is the name of a network namespace.
    pub is_name: bool,
    /// Whether the log has a complaint about it.
    pub complained: bool,
}

impl World {
    pub(super) fn at_places(&mut self, step: PlaceStep) {
        match step {
            PlaceStep::Mount => self.mount_place(),
            PlaceStep::Name => self.name_namespace(),
            PlaceStep::Refer(which, from, how) => self.refer_to_place(which, from, how),
            PlaceStep::Bind(which) => self.bind_place(which),
            PlaceStep::Inside(which) => {
                if let Some((place, number)) = self.a_mounted_place(which) {
                    let fs = self.host.tmpfs("inner", "rw");
                    self.host.mounts.mount(
                        self.host.ns,
                        &format!("{}/inner{number}", place.object.path),
                        &fs,
                    );
                }
            }
            PlaceStep::Cover(which, from, how) => self.cover_place(which, from, how),
            PlaceStep::Block(which, is_swap) => self.block_on_place(which, is_swap),
            PlaceStep::Detach(which) => {
                if let Some(place) = self.a_place(which) {
                    self.host.mounts.umount(self.host.ns, &place.object.path);
                }
            }
            PlaceStep::Complain(which) => self.complain_of_place(which),
        }
    }

    pub(super) fn a_place(&self, which: usize) -> Option<Place> {
        self.places.get(which % self.places.len().max(1)).cloned()
    }

    /// A file system that is still mounted where it was, and a fresh number.
    fn a_mounted_place(&mut self, which: usize) -> Option<(Place, usize)> {
        let number = self.number();
        let place = self.a_place(which).filter(|place| !place.is_name)?;
        self.is_mounted(&place).then_some((place, number))
    }

    /// Whether the host's own namespace has something at its path, for a path to lead there.
    fn is_mounted(&self, place: &Place) -> bool {
        self.host.mounts.at(self.host.ns, &place.object.path).is_some()
    }

    /// Whether it is what everybody has at its path: of several nothing tells which one is meant.
    pub fn is_all_there(&self, place: &Place) -> bool {
        let all = self.host.namespaces().into_iter().flat_map(|ns| self.host.mounts.table(ns));
        let mut there = all.filter(|m| m.mount_point.ends_with(&place.object.path)).peekable();
        let is_there = self.umounted(place).is_some();
        is_there && there.all(|m| place.object.is_shown_by(m))
    }

    /// What a umount of its path would take: the uppermost mount there, which may be one over the place's own.
    pub fn umounted(&self, place: &Place) -> Option<Object> {
        self.object_in(self.host.ns, &place.object.path)
    }

    fn mount_place(&mut self) {
        let path = format!("/mnt/data{}", self.number());
        let fs = self.host.tmpfs("data", "rw");
        self.host.mounts.mount(self.host.ns, &path, &fs);
        self.add_place(&path, None);
    }

    /// As `ip netns add` does: a file in `/run/netns` that the namespace is mounted on.
    fn name_namespace(&mut self) {
        if self.host.mounts.at(self.host.ns, "/run/netns").is_none() {
            let fs = self.host.tmpfs("tmpfs", "rw");
            self.host.mounts.mount(self.host.ns, "/run/netns", &fs);
        }
        let path = format!("/run/netns/net{}", self.number());
        let root = format!("net:[{}]", self.host.new_inode());
        let nsfs = Fs::new((0, 4), "nsfs", "nsfs", "rw");
        self.host.mounts.mount_root(self.host.ns, &path, &nsfs, &root);
        self.add_place(&path, Some(root));
    }

    fn add_place(&mut self, path: &str, root: Option<String>) {
        let object = self.object_in(self.host.ns, path).expect("it was mounted just now");
        let object = Object { root, ..object };
        self.places.push(Place { is_name: object.root.is_some(), object, complained: false });
    }

    fn refer_to_place(&mut self, which: usize, from: usize, how: Reference) {
        let Some(place) = self.a_place(which).filter(|place| !place.is_name) else { return };
        let ns: Ns =
            if from.is_multiple_of(2) { self.host.ns } else { self.a_copy(from).unwrap_or(self.host.ns) };
        let path = &place.object.path;
        let mounts = self.host.mounts.table(ns);
        let shown: Vec<Mount> =
            mounts.filter(|m| place.object.is_shown_by(m) || m.mount_point == *path).cloned().collect();
        let Some(mount) = shown.get(from / 2 % shown.len().max(1)) else { return };
        let pid = self.host.spawn_in(ns, "less", &["less"]);
        let (name, kind) = match how {
            Reference::Cwd => ("cwd", "dir"),
            Reference::Map => ("map/7f1c00000000", "reg"),
            Reference::Fd | Reference::Node => ("fd/3", "reg"),
        };
        let link = Link {
            name: name.into(),
            target: format!("{}/file", mount.mount_point),
            device: mount.fs.device,
            inode: 12,
            mount: (how != Reference::Map).then_some(mount.id),
            kind,
            node: None,
        };
        self.host.mounts.refer(mount.id);
        self.host.set_link(pid, link);
    }

    fn bind_place(&mut self, which: usize) {
        if let Some((place, number)) = self.a_mounted_place(which) {
            self.host.mounts.bind(self.host.ns, &place.object.path, &format!("/srv/bind{number}"), false);
        }
    }

    fn block_on_place(&mut self, which: usize, is_swap: bool) {
        let Some((place, number)) = self.a_mounted_place(which) else { return };
        let file = format!("{}/img{number}", place.object.path);
        if is_swap {
            self.add_swap(&file, "file\t");
        } else {
            let on = self.host.mounts.covering(self.host.ns, &file).fs.device;
            let block = Block::on_file((7, number as u32), &file, on);
            self.host.block_device(&format!("loop{number}"), block);
        }
    }

    fn complain_of_place(&mut self, which: usize) {
        let Some(place) = self.a_place(which).filter(|place| !place.complained) else { return };
        let path = &place.object.path;
        if place.is_name {
            let text = format!("Cannot remove namespace file \"{path}\": Device or resource busy");
            self.host.log_line("ip", 901, &text);
        } else if self.is_mounted(&place) {
            self.host.log_line("umount", 900, &format!("umount: {path}: target is busy."));
        } else {
            return;
        }
        for known in self.places.iter_mut().filter(|known| known.object == place.object) {
            known.complained = true;
        }
    }
}
