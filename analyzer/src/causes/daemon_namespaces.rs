//! The daemon and its shims in different mount namespaces: `MountFlags=slave` together with live-restore, or a
//! daemon restarted by hand from a shell with a namespace of its own (moby#45510, moby#24350).

use super::{Case, Finding, remedy, unmount};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::Daemon || case.holder.is_daemons {
        return None;
    }
    let (pid, daemon) = case.snapshot.daemon()?;
    let name = daemon.name();
    let own = case.snapshot.daemon_namespace()?.inode();
    if own == case.snapshot.namespaces.get(&case.holder.namespace?)?.inode() {
        return None;
    }
    let summary = format!(
        "Parts of the runtime run in another mount namespace than {name} ({}): mounts that were made there are out of its reach. That comes from MountFlags= in docker.service together with live-restore, or from a daemon that was restarted by hand.",
        pid.0
    );
    let mut remedies: Vec<_> =
        unmount::remove_mount_point(case).into_iter().chain(unmount::inside(case)).collect();
    remedies.push(remedy::lasting(
        "systemctl cat docker.service | grep -n MountFlags\ngrep -n live-restore /etc/docker/daemon.json".to_owned(),
        "Shows both settings. Keep one of them: without MountFlags= the daemon and its shims share the host's namespace, also after a restart with live-restore.",
        "Changing either needs a restart of docker and, once, of the containers.",
    ));
    Some(Finding { id: "daemon-namespaces-differ", summary, remedies })
}
