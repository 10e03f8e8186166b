//! The daemon and its shims in different mount namespaces: `MountFlags=slave` together with live-restore, or a
//! daemon restarted by hand from a shell with a namespace of its own (moby#45510, moby#24350).

use super::{Case, Finding, remedy};
use crate::report::HolderKind;
use crate::snapshot::Process;

/// Whether a process is a part of a container runtime, not a container's.
pub(crate) fn is_runtime_process(process: &Process) -> bool {
    const NAMES: [&[u8]; 14] = [
        b"dockerd",
        b"dockerd-current",
        b"docker-current",
        b"docker-containe",
        b"docker-containerd",
        b"containerd",
        b"containerd-shim",
        b"containerd-shim-runc-v2",
        b"containerd-shim-runc-v1",
        b"docker-containerd-shim",
        b"conmon",
        b"crio",
        b"runc",
        b"docker-proxy",
    ];
    // comm is cut at 15 bytes (TASK_COMM_LEN).
    let is = |name: &[u8]| NAMES.iter().any(|n| *n == name || (name.len() == 15 && n.starts_with(name)));
    process.membership.container.is_none() && (is(&process.comm) || is(process.executable()))
}

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
        remedy::remove_mount_point(case).into_iter().chain(remedy::unmount_inside(case)).collect();
    remedies.push(remedy::lasting(
        "systemctl cat docker.service | grep -n MountFlags\ngrep -n live-restore /etc/docker/daemon.json".to_owned(),
        "Shows both settings. Keep one of them: without MountFlags= the daemon and its shims share the host's namespace, also after a restart with live-restore.",
        "Changing either needs a restart of docker and, once, of the containers.",
    ));
    Some(Finding { id: "daemon-namespaces-differ", summary, remedies })
}
