//! Kernels that do not remove a directory while any namespace has a mount on it: before 3.18, and RHEL 7's 3.10
//! with `fs.may_detach_mounts` 0 or missing (moby 83c2152de5, moby#34538, moby#21969). And daemons that share the
//! host's namespace on them since docker 1.12 dropped `MountFlags=slave` (moby#22806).

use super::{Case, Finding, remedy};
use crate::report::{BusyKind, Remedy};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.snapshot.facts.drops_foreign_mounts() != Some(false) || case.holder.is_daemons {
        return None;
    }
    let kernel = case.snapshot.facts.kernel.as_deref()?;
    Some(Finding {
        id: "old-kernel",
        summary: format!(
            "Kernel {kernel} refuses to remove a directory while any mount namespace has a mount on it, and this namespace has one."
        ),
        remedies: remedy::for_any_holder(case),
    })
}

/// What helps on such a kernel beside the holder's own remedies.
pub(super) fn lasting(case: &Case<'_>) -> Vec<Remedy> {
    let directory = matches!(case.target.busy, BusyKind::Directory | BusyKind::NamespaceFile);
    if case.snapshot.facts.drops_foreign_mounts() != Some(false)
        || !directory
        || case.holder.is_daemons
        || case.holder.is_target
    {
        return Vec::new();
    }
    let el7 = case.snapshot.facts.kernel_version().is_some_and(|v| v.el7);
    match (el7, case.snapshot.facts.may_detach_mounts) {
        (true, Some(false)) => vec![remedy::lasting(
            "sysctl -w fs.may_detach_mounts=1\necho 'fs.may_detach_mounts = 1' > /etc/sysctl.d/99-may-detach-mounts.conf".to_owned(),
            "Lets this kernel drop the copies in other namespaces when a mount point is removed, as kernels since 3.18 do. docker 17.10 and newer set it themselves.",
            "None known; it is the behaviour of every newer kernel.",
        )],
        (true, _) => vec![remedy::lasting(
            "yum update kernel".to_owned(),
            "RHEL and CentOS 7.4 (kernel 3.10.0-693) and newer have fs.may_detach_mounts; set it to 1 after the reboot.",
            "A reboot.",
        )],
        (false, _) => vec![remedy::lasting(
            String::new(),
            "Use a kernel of 3.18 or newer: it drops the copies in other namespaces when a mount point is removed.",
            "A reboot.",
        )],
    }
}

/// The daemon in a namespace of its own: what it mounts is then in no namespace that others copy.
pub(super) fn mount_flags(case: &Case<'_>) -> Option<Remedy> {
    let old = case.snapshot.facts.drops_foreign_mounts() == Some(false);
    let shares =
        case.snapshot.daemon_namespace().map(|n| n.key) == case.snapshot.host_namespace().map(|n| n.key);
    (old && shares && case.snapshot.daemon().is_some()).then(|| {
        remedy::lasting(
            "mkdir -p /etc/systemd/system/docker.service.d\nprintf '[Service]\\nMountFlags=slave\\n' > /etc/systemd/system/docker.service.d/ebusy.conf\nsystemctl daemon-reload\nsystemctl restart docker".to_owned(),
            "Gives dockerd a mount namespace of its own, so that nobody else copies the containers' mounts (the default of docker 1.5 to 1.11).",
            "Breaks volumes with shared propagation and must not be combined with live-restore. Restarting docker stops the containers.",
        )
    })
}
