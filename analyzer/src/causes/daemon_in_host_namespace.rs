//! On an old kernel, a daemon that mounts in the host's own namespace: docker 1.12 dropped `MountFlags=slave` from
//! its unit (moby#22806, moby#31490), and since then everybody who makes a namespace copies the containers' mounts.

use super::{Case, Finding, remedy, unmount, versions};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let mut finding = condition(case)?;
    finding.remedies.splice(0..0, unmount::for_any_holder(case));
    Some(finding)
}

pub(super) fn condition(case: &Case<'_>) -> Option<Finding> {
    let old = case.snapshot.facts.drops_foreign_mounts() == Some(false);
    let daemon = case.snapshot.daemon_namespace()?.key;
    let shares = case.snapshot.host_namespace().map(|n| n.key) == Some(daemon);
    let (pid, process) = case.snapshot.daemon()?;
    let is_docker = process.name().contains("docker");
    let is_copy = case.holder.namespace.is_some_and(|key| key != daemon)
        && !case.holder.mounts.is_empty()
        && !matches!(case.holder.kind, HolderKind::OpenFile | HolderKind::Device);
    if !old || !shares || !is_docker || !is_copy || versions::docker_before(case, (1, 12)) {
        return None;
    }
    let (command, effect) = if versions::has_systemd(case) {
        (
            "mkdir -p /etc/systemd/system/docker.service.d\nprintf '[Service]\\nMountFlags=slave\\n' > /etc/systemd/system/docker.service.d/ebusy.conf\nsystemctl daemon-reload\nsystemctl restart docker",
            "Gives dockerd a mount namespace of its own, so that nobody else copies the containers' mounts (the default of docker 1.5 to 1.11).",
        )
    } else {
        (
            "",
            "In the init script start the daemon as `unshare -m -- dockerd`: in a mount namespace of its own nobody else copies the containers' mounts.",
        )
    };
    Some(Finding {
        id: "daemon-shares-host-namespace",
        summary: format!(
            "{} ({}) mounts in the host's own namespace (no MountFlags=), and this kernel does not drop the copies that others take of it.",
            process.name(),
            pid.0
        ),
        remedies: vec![remedy::lasting(
            command.to_owned(),
            effect,
            "Breaks volumes with shared propagation and must not be combined with live-restore. Restarting docker stops the containers.",
        )],
    })
}
