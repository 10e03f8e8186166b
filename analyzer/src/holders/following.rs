//! Copies that are no holders of their own: while the mount is still there in the runtime's namespace, copies
//! that its umount will reach go with it.
//!
//! A umount propagates along the PARENT mount (kernel doc `sharedsubtree.rst`): what is unmounted at a directory of
//! mount P is unmounted at the same directory of every peer and slave of P. So the parents decide, not the copies. A
//! copy stays where something else is mounted inside of it.

use std::collections::{BTreeMap, BTreeSet};

use super::Found;
use crate::bytes::{components, position_of_any, same_path};
use crate::order;
use crate::parse::mountinfo::Mount;
use crate::report::{BusyKind, Effect, HolderKind, MountView};
use crate::resolve::Target;
use crate::snapshot::{
    DeviceNumber, MountId, MountNamespace, MountTable, NamespaceKey, PeerGroups, Place as Directory,
    Snapshot, TableId, place_on,
};

/// Mounts in mounts are followed so deep.
const DEPTH: usize = 16;

/// Tells for each mount whether the runtime's umount takes it along, and turns copies that will all follow it from
/// blocking to holding.
pub(super) fn judge(snapshot: &Snapshot, target: &Target, found: &mut [Found]) {
    let own = found
        .iter()
        .find(|h| h.is_daemons && !h.directory_mounts.is_empty() && h.kind != HolderKind::OpenFile);
    let Some((own, own_key)) = own.and_then(|own| {
        // What is mounted elsewhere the runtime leaves alone.
        let mounts =
            own.mounts.iter().filter(|m| own.directory_mounts.contains(&m.id) && is_runtimes(target, m));
        Some((mounts.cloned().collect::<Vec<_>>(), own.namespace?))
    }) else {
        return;
    };
    let own = unmounted(snapshot, target, own_key, &own);
    if own.is_empty() {
        return;
    }
    let reach = Reach::of(snapshot, own_key, &own);
    let (on_directory, _) =
        super::effect::foreign_mount(snapshot, BusyKind::Directory, target.error.is_some());
    for holder in found.iter_mut().filter(|h| !h.mounts.is_empty() && h.kind != HolderKind::Device) {
        let Some(key) = holder.namespace else { continue };
        let copies = holder.mounts.clone();
        for mount in &mut holder.mounts {
            mount.follows = reach.follows(key, &copies, mount.id, DEPTH);
        }
        let is_device = super::effect::busy_there(target, holder) == BusyKind::Device;
        // On a block device each mount counts, on a directory those that lie on it or will, because what they cover goes;
        // others do not block. Of a container on a device, what is mounted on its directories is in the way only where
        // the kernel does not drop it.
        let on_directories = |m: &MountView| {
            let covers_one =
                |place: Place<'_>| covers(&place) && holder.directory_mounts.contains(&place.parent.id.0);
            holder.directory_mounts.contains(&m.id)
                || Place::of(snapshot, key, MountId(m.id)).is_some_and(covers_one)
        };
        let counts = |m: &&MountView| match is_device {
            true if holder.block_mounts.contains(&m.id) => true,
            true if on_directory != Effect::Blocking => false,
            _ => on_directories(m),
        };
        let mut counting = holder.mounts.iter().filter(counts).peekable();
        let all_follow = counting.peek().is_some() && counting.all(|m| m.follows == Some(true));
        // The container's own processes are in the way whatever the umount takes along.
        let is_targets_own = holder.is_target && holder.kind == HolderKind::Container;
        if !holder.is_daemons
            && !is_targets_own
            && all_follow
            && holder.effect == Effect::Blocking
            && holder.open_files.is_empty()
        {
            holder.effect = Effect::Holding;
            holder.effect_reason =
                "It receives umounts from the runtime's namespace, where the mount still is: it goes when that one goes.".to_owned();
        }
    }
    if target.busy == BusyKind::Umount {
        super::umount::judge(snapshot, target, found, own_key, &own);
    }
}

/// Whether a runtime may have mounted it there: it mounts a container at a path with one of its ids. Somebody else's
/// bind of the same file system is nothing that a runtime unmounts.
fn is_runtimes(target: &Target, mount: &MountView) -> bool {
    let point = mount.mount_point.as_bytes();
    target.ids.is_empty()
        || target.paths.iter().any(|path| same_path(point, path))
        || components(point).any(|part| target.id_in(part).is_some())
}

/// The mounts that the runtime will unmount: the one that the busy path leads to, or all that it has of the target.
fn unmounted(snapshot: &Snapshot, target: &Target, key: NamespaceKey, own: &[MountView]) -> Vec<MountView> {
    let at_path = |path: &Vec<u8>| own.iter().any(|m| same_path(m.mount_point.as_bytes(), path));
    let mut paths = target.paths.iter().filter(|path| at_path(path)).peekable();
    if paths.peek().is_none() {
        return if target.busy == BusyKind::Umount { Vec::new() } else { own.to_vec() };
    }
    let tables = || snapshot.namespaces.get(&key).into_iter().flat_map(|n| &n.tables);
    let led_to = |path| tables().filter_map(|t| snapshot.table(*t)).find_map(|t| Some(t.lookup(path)?.1.id));
    let ids: Vec<MountId> = paths.filter_map(|path| led_to(path)).collect();
    own.iter().filter(|m| ids.contains(&MountId(m.id))).cloned().collect()
}

struct Reach<'s> {
    snapshot: &'s Snapshot,
    groups: &'s PeerGroups,
    /// What the runtime unmounts: its own mount and everything inside of it.
    unmounted: BTreeSet<MountId>,
    /// What of it is on a shared mount, by the directory that it is on: nothing is received from any other.
    shared: BTreeMap<Directory, Vec<Place<'s>>>,
}

impl<'s> Reach<'s> {
    fn of(snapshot: &'s Snapshot, own: NamespaceKey, mounts: &[MountView]) -> Self {
        let mut next: Vec<Place<'s>> =
            mounts.iter().filter_map(|m| Place::of(snapshot, own, MountId(m.id))).collect();
        let mut unmounted: BTreeSet<MountId> = order::set(next.iter().map(|place| place.mount.id));
        let mut shared: BTreeMap<Directory, Vec<Place<'s>>> = BTreeMap::new();
        while let Some(place) = next.pop() {
            let outer = place.mount.clone();
            if let Some(directory) = place.parent.shared().and_then(|_| place.directory()) {
                shared.entry(directory).or_default().push(place);
            }
            for mount in snapshot.children_of(own, outer.id) {
                // A damaged table may have circles.
                if unmounted.insert(mount.id) {
                    next.push(Place { mount, parent: outer.clone() });
                }
            }
        }
        Self { snapshot, groups: snapshot.peer_groups(), unmounted, shared }
    }

    /// Whether the umount takes the mount along; `None` where the bundle does not tell, and for mounts that the
    /// runtime itself unmounts. `copies` are all of the target in that namespace.
    fn follows(&self, key: NamespaceKey, copies: &[MountView], id: u32, depth: usize) -> Option<bool> {
        let copy = Place::of(self.snapshot, key, MountId(id))?;
        let is_own = self.unmounted.contains(&copy.mount.id);
        if copy.mount.device == DeviceNumber::UNKNOWN || is_own {
            return None;
        }
        if self.goes(key, &copy, DEPTH) {
            return Some(true);
        }
        // What is mounted inside of one of them goes where that goes. What covers all of one takes its place.
        let is_inside = copies.iter().any(|m| m.id == copy.parent.id.0) && !covers(&copy);
        match is_inside && depth > 0 {
            true => self.follows(key, copies, copy.parent.id.0, depth - 1),
            false => Some(false),
        }
    }

    fn goes(&self, key: NamespaceKey, copy: &Place<'_>, depth: usize) -> bool {
        let point = copy.mount.mount_point();
        let there = copy.directory().and_then(|directory| self.shared.get(&directory));
        let is_reached = there
            .into_iter()
            .flatten()
            .any(|own| self.groups.unmounts((&own.parent, &own.mount.mount_point()), (&copy.parent, &point)));
        is_reached
            && depth > 0
            && self.snapshot.children_of(key, copy.mount.id).into_iter().all(|mount| {
                let inside = Place { mount, parent: copy.mount.clone() };
                covers(&inside) || self.goes(key, &inside, depth - 1)
            })
    }
}

/// A mount with the one that it is on.
struct Place<'s> {
    mount: Mount<'s>,
    parent: Mount<'s>,
}

impl<'s> Place<'s> {
    /// The directory that it is on.
    fn directory(&self) -> Option<Directory> {
        place_on(&self.parent, &self.mount.mount_point())
    }

    fn of(snapshot: &'s Snapshot, key: NamespaceKey, id: MountId) -> Option<Self> {
        let tables = snapshot.namespaces.get(&key)?.tables.iter();
        tables.filter_map(|t| snapshot.table(*t)).find_map(|table| {
            let (_, mount) = table.mount_with(id)?;
            let (_, parent) = table.mount_with(mount.parent).filter(|(_, parent)| parent.id != id)?;
            Some(Self { mount, parent })
        })
    }
}

/// Whether a mount is on the very root of the one that it is on (`find_topper` in fs/pnode.c).
fn covers(place: &Place<'_>) -> bool {
    place.mount.raw_mount_point == place.parent.raw_mount_point
}

/// The path at which the runtime has or had its mount, and the mount that is below it there. `copy` is one of the
/// target's in the namespace `of`.
pub(crate) fn runtime_place<'s>(
    snapshot: &'s Snapshot,
    target: &Target,
    own: &'s MountNamespace,
    (of, copy): (NamespaceKey, &MountView),
) -> Option<(Vec<u8>, &'s MountTable, u32, Mount<'s>)> {
    let of_target = target.paths.first();
    let seen_by_copy = || {
        let holder = snapshot.parent_of(of, MountId(copy.id))?;
        snapshot.path_in(own, &holder.2, copy.mount_point.as_bytes())
    };
    // Without both, a copy below a prefix such as /rootfs shows the host's path after it.
    let cut = || {
        let point = copy.mount_point.as_bytes();
        let at = position_of_any(point, &[b"/var/lib/", b"/run/", b"/var/run/"]).unwrap_or(0);
        point.get(at..).unwrap_or(point).to_vec()
    };
    let path = of_target.cloned().or_else(seen_by_copy).unwrap_or_else(cut);
    let look = || place_at(snapshot, target, own, &path);
    let is_daemons = snapshot.daemon_namespace().is_some_and(|n| n.key == own.key);
    // The same for all copies: there may be a hundred thousand.
    let (table, line) = match of_target {
        Some(_) if is_daemons => *target.runtime_place.get_or_init(look),
        _ => look(),
    }?;
    let table = snapshot.table(table)?;
    let mount = table.mount_on(line)?;
    Some((path, table, line, mount))
}

/// The mount that is or was below the runtime's own at a path, by its table and line.
fn place_at(
    snapshot: &Snapshot,
    target: &Target,
    own: &MountNamespace,
    path: &[u8],
) -> Option<(TableId, u32)> {
    if same_path(path, b"/") {
        return None;
    }
    let tables = own.tables.iter().filter_map(|id| Some((*id, snapshot.table(*id)?)));
    let (id, table, line, mount) = tables
        .filter_map(|(id, table)| table.lookup(path).map(|(line, mount)| (id, table, line, mount)))
        .max_by_key(|(.., mount)| components(&mount.mount_point()).count())?;
    if !same_path(&mount.mount_point(), path) && !target.devices.contains(&mount.device) {
        return Some((id, line));
    }
    let (line, _) = table.mount_with(mount.parent).filter(|(_, parent)| parent.id != mount.id)?;
    Some((id, line))
}
