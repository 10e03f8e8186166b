//! Mounts over others: at the same mount point, or over a directory above. What is covered is still there and still
//! holds its file system; a path leads to what covers it.

use super::world::World;
use crate::synth::Ns;

/// A mount over another one.
#[derive(Debug, Clone)]
pub struct Cover {
    ns: Ns,
    id: u32,
    path: String,
}

impl World {
    /// The host's namespace, the daemon's, copies and containers' that somebody is in or that are kept.
    fn living(&self) -> Vec<Ns> {
        let alive = self.host.namespaces();
        let containers = self.subjects.iter().map(|s| s.container.ns);
        let all =
            [self.host.ns, self.daemon].into_iter().chain(self.copies.iter().copied()).chain(containers);
        all.filter(|ns| alive.contains(ns)).collect()
    }

    pub(super) fn cover(&mut self, which: usize, from: usize, how: usize) {
        let Some(b) = self.a_subject(which).cloned() else { return };
        let object = b.shm.filter(|_| how.is_multiple_of(3)).unwrap_or(b.root);
        let namespaces = self.living();
        let ns = namespaces[from % namespaces.len()];
        let shown: Vec<_> = self.host.mounts.table(ns).filter(|m| object.is_shown_by(m)).collect();
        let Some(shown) = shown.get(how / 3 % shown.len().max(1)) else { return };
        let mut path = shown.mount_point.as_str();
        for _ in 0..how / 8 % 5 {
            path = path.rsplit_once('/').map_or("", |(above, _)| above);
        }
        let path = String::from(path);
        self.mount_over(ns, &path);
    }

    /// The root of a namespace is not covered: its processes' own roots would stay below.
    fn mount_over(&mut self, ns: Ns, path: &str) {
        if path.len() < 2 {
            return;
        }
        let fs = self.host.tmpfs("cover", "rw");
        let id = self.host.mounts.mount(ns, path, &fs);
        self.covers.push(Cover { ns, id, path: path.into() });
    }

    pub(super) fn uncover(&mut self, which: usize) {
        let Some(Cover { ns, id, path }) = self.covers.get(which % self.covers.len().max(1)).cloned() else {
            return;
        };
        if self.host.mounts.at(ns, &path).is_some_and(|m| m.id == id) {
            self.host.mounts.umount(ns, &path);
        }
    }

    pub(super) fn cover_place(&mut self, which: usize, from: usize, how: usize) {
        let Some(place) = self.a_place(which) else { return };
        let ns = if from.is_multiple_of(3) { self.a_copy(from) } else { None }.unwrap_or(self.host.ns);
        let path = &place.object.path;
        let above = path.rsplit_once('/').map_or("/", |(above, _)| above);
        match how % 4 {
            0 => self.mount_over(ns, above),
            // A file can only be covered by a file.
            _ if place.is_name || self.host.mounts.at(ns, path).is_none() => {}
            // It may be bound on itself.
            1 => {
                let other = self.places.get(how / 4 % self.places.len()).filter(|other| !other.is_name);
                let other = other.map(|other| other.object.path.clone());
                if let Some(other) = other.filter(|other| self.host.mounts.at(ns, other).is_some()) {
                    self.host.mounts.bind(ns, &other, path, false);
                }
            }
            _ => self.mount_over(ns, path),
        }
    }
}
