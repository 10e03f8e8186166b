//! What connects two mount namespaces at the place of the target's mount.
//!
//! A umount propagates along the propagation of the *parent* mount (mount_namespaces(7), "Shared
//! subtrees"): to the peers of that parent, and down to its slaves; never up to a master, and never
//! to private mounts.

use ebusy_analyzer::report::{MountView, NamespaceRole, NamespaceView};

/// How a umount where the daemon is would reach a namespace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Relation {
    /// It happens here.
    Start,
    /// Reaches it: both are in this peer group.
    Peer(u32),
    /// Reaches it: it receives from this peer group.
    Slave(u32),
    /// Does not reach it: this is the master, and nothing goes up.
    Upstream(u32),
    /// Does not reach it.
    Cut(Cut),
    /// The bundle does not tell.
    Unknown,
}

/// Why propagation is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The mount below which the umount is made is not shared: it tells nobody.
    Source,
    /// It neither sends nor receives.
    Private,
    /// It is in another peer group.
    OtherGroup(u32),
    /// It receives from another peer group.
    OtherMaster(u32),
}

/// The index of the namespace where the umount is made: the daemon's, or the host's where the daemon
/// has none of its own.
pub fn origin(namespaces: &[NamespaceView]) -> Option<usize> {
    let with_role = |role| namespaces.iter().position(|view| view.role == role);
    with_role(NamespaceRole::Daemon).or_else(|| with_role(NamespaceRole::Host))
}

/// How a umount in namespace `from` would reach namespace `to`, both by index.
pub fn relation(namespaces: &[NamespaceView], from: usize, to: usize) -> Relation {
    if from == to {
        return Relation::Start;
    }
    let parent = |index: usize| namespaces.get(index).and_then(|view| view.parent_mount.as_ref());
    match (parent(from), parent(to)) {
        (Some(from), Some(to)) => between(from, to),
        _ => Relation::Unknown,
    }
}

fn between(from: &MountView, to: &MountView) -> Relation {
    // Silence is not "private".
    if !(from.tells_propagation() && to.tells_propagation()) {
        return Relation::Unknown;
    }
    match (from.shared, to.shared, to.master) {
        (Some(group), Some(other), _) if group == other => Relation::Peer(group),
        (Some(group), _, Some(master)) if group == master => Relation::Slave(group),
        (_, Some(group), _) if from.master == Some(group) => Relation::Upstream(group),
        (_, None, None) => Relation::Cut(Cut::Private),
        // What follows is about one and the same mount, seen from two sides.
        _ if !same_place(from, to) => Relation::Unknown,
        _ if from.shared.is_none() => Relation::Cut(Cut::Source),
        (_, _, Some(master)) => Relation::Cut(Cut::OtherMaster(master)),
        (_, Some(group), None) => Relation::Cut(Cut::OtherGroup(group)),
    }
}

/// Whether two mounts are at the same place of the host: a container may see it below a prefix
/// (`/rootfs/var/lib/docker` is `/var/lib/docker`).
fn same_place(from: &MountView, to: &MountView) -> bool {
    let tail = to.mount_point.strip_suffix(&from.mount_point);
    from.mount_point == "/" || tail.is_some_and(|prefix| prefix.is_empty() || prefix.starts_with('/'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sample;

    fn spaces(groups: &[(NamespaceRole, Option<u32>, Option<u32>)]) -> Vec<NamespaceView> {
        let template = sample::report().namespaces.remove(0);
        groups
            .iter()
            .map(|(role, shared, master)| {
                let mut view = template.clone();
                view.role = *role;
                if let Some(parent) = &mut view.parent_mount {
                    (parent.shared, parent.master) = (*shared, *master);
                }
                view
            })
            .collect()
    }

    #[test]
    fn a_umount_reaches_peers_and_slaves_and_nothing_else() {
        use NamespaceRole::{Holder, Host};
        let spaces = spaces(&[
            (Host, Some(1), None),
            (Holder, Some(1), None),
            (Holder, None, Some(1)),
            (Holder, Some(7), Some(1)),
            (Holder, None, None),
            (Holder, Some(9), None),
            (Holder, None, Some(8)),
        ]);
        assert_eq!(origin(&spaces), Some(0));
        let found: Vec<_> = (0..spaces.len()).map(|to| relation(&spaces, 0, to)).collect();
        assert_eq!(
            found,
            [
                Relation::Start,
                Relation::Peer(1),
                Relation::Slave(1),
                Relation::Slave(1),
                Relation::Cut(Cut::Private),
                Relation::Cut(Cut::OtherGroup(9)),
                Relation::Cut(Cut::OtherMaster(8)),
            ]
        );
    }

    #[test]
    fn a_daemon_that_is_a_slave_does_not_reach_its_master() {
        let spaces = spaces(&[(NamespaceRole::Host, Some(1), None), (NamespaceRole::Daemon, None, Some(1))]);
        assert_eq!(origin(&spaces), Some(1));
        assert_eq!(relation(&spaces, 1, 0), Relation::Upstream(1));
    }

    #[test]
    fn a_private_source_tells_nobody() {
        let spaces = spaces(&[(NamespaceRole::Host, None, None), (NamespaceRole::Holder, Some(166), None)]);
        assert_eq!(relation(&spaces, 0, 1), Relation::Cut(Cut::Source));
    }

    #[test]
    fn of_two_different_mounts_only_privacy_is_claimed() {
        let mut spaces = spaces(&[
            (NamespaceRole::Host, None, None),
            (NamespaceRole::Holder, Some(9), None),
            (NamespaceRole::Holder, None, None),
            (NamespaceRole::Holder, Some(9), None),
        ]);
        let places = [
            "/var/lib/docker/devicemapper",
            "/var/lib/docker/containers",
            "/run",
            "/rootfs/var/lib/docker/devicemapper",
        ];
        for (view, place) in spaces.iter_mut().zip(places) {
            view.parent_mount.as_mut().unwrap().mount_point = place.into();
        }
        let found: Vec<_> = (1..4).map(|to| relation(&spaces, 0, to)).collect();
        assert_eq!(found, [Relation::Unknown, Relation::Cut(Cut::Private), Relation::Cut(Cut::Source)]);
    }

    #[test]
    fn without_the_parent_mount_nothing_is_claimed() {
        let mut spaces =
            spaces(&[(NamespaceRole::Host, Some(1), None), (NamespaceRole::Holder, Some(1), None)]);
        spaces[1].parent_mount = None;
        assert_eq!(relation(&spaces, 0, 1), Relation::Unknown);
    }
}
