//! What a bundle shows of a namespace, and which directories are to be removed.

use super::processes;
use crate::model::world::{Object, Subject, World};
use crate::synth::{Mount, Ns};
use std::collections::BTreeSet;

/// What a bundle can show of a namespace: each process sees what is below its root, and where all are in a chroot the
/// collector goes in itself.
pub(super) fn visible(world: &World, ns: Ns) -> Vec<&Mount> {
    let host = &world.host;
    let is_entered = host.kept.contains_key(&ns) || host.collector_goes_into(ns);
    let processes = processes(world, ns).into_iter();
    let roots: BTreeSet<(&str, u32)> = processes.map(|p| (p.root.as_str(), host.root_mount(p))).collect();
    if is_entered || roots.iter().any(|(root, on)| *root == "/" && *on == host.mounts.root(ns).id) {
        return host.mounts.table(ns).collect();
    }
    let seen = roots.iter().flat_map(|(root, on)| host.mounts.seen_from(ns, root, *on).map(|m| m.id));
    let seen: BTreeSet<u32> = seen.collect();
    host.mounts.table(ns).filter(|m| seen.contains(&m.id)).collect()
}

/// A directory by the device of its file system and the path in that.
pub(super) type Directory = ((u32, u32), String);

/// What is to be removed at a path: the directories on which the runtime has something mounted there, also where a
/// cover hides them; else the one that the path leads to. A namespace with another view of the host has the same
/// directory under another path.
pub(super) fn directories(world: &World, object: &Object) -> BTreeSet<Directory> {
    let mounts = &world.host.mounts;
    let at_path: Vec<&Mount> = mounts.table(world.daemon).filter(|m| m.mount_point == object.path).collect();
    let lowest = at_path.iter().filter(|m| at_path.iter().all(|other| other.id != m.parent));
    let mounted_on: BTreeSet<_> = lowest.filter_map(|m| mounts.directory(m)).collect();
    if mounted_on.is_empty() {
        let on = mounts.covering(world.daemon, &object.path);
        let rest = object.path.strip_prefix(on.mount_point.trim_end_matches('/')).unwrap_or_default();
        return BTreeSet::from([(on.fs.device, format!("{}{rest}", on.root.trim_end_matches('/')))]);
    }
    mounted_on
}

/// The container's own directory that a mount point of it is in. Nothing of the container is mounted on it.
pub(super) fn home(s: &Subject, object: &Object) -> Option<Object> {
    let (path, _) = object.path.rsplit_once('/')?;
    let ids = [&s.container.id, &s.container.layer];
    let is_own = ids.iter().any(|id| path.ends_with(&format!("/{id}")));
    is_own.then(|| Object { device: (u32::MAX, 0), source: String::new(), root: None, path: path.into() })
}
