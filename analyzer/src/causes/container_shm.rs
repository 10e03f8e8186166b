//! `containers/ID/shm` or a secrets tmpfs that was copied into another namespace (moby#17902, moby#20560,
//! moby#31195; gone with private IPC by default in docker 19.03, commit 596ca142e0).

use super::{Case, Finding, remedy, unmount, versions};
use crate::bytes::components;
use crate::report::{HolderKind, Remedy};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if matches!(case.holder.kind, HolderKind::Host | HolderKind::OpenFile | HolderKind::Device) {
        return None;
    }
    let mount = case.holder.mounts.iter().find(|m| {
        let last = components(m.mount_point.as_bytes()).next_back().unwrap_or_default();
        // Only where it is the busy object; whoever has a container's root mostly has its shm, too.
        let is_busy = || {
            let mut paths = case.target.paths.iter();
            paths.any(|p| crate::resolve::is_mount_of_path(case.target, m.mount_point.as_bytes(), p))
        };
        m.fs_type == "tmpfs" && matches!(last, b"shm" | b"secrets") && is_busy()
    })?;
    let who = case.holder.name(case.snapshot);
    let summary = format!(
        "{who} holds a copy of {}, the container's own tmpfs. It is mounted in the host's namespace (docker does so before 19.03, and for shareable IPC), where every namespace made meanwhile copied it.",
        mount.mount_point
    );
    let mut remedies = unmount::for_any_holder(case);
    remedies.push(lasting(case));
    Some(Finding { id: "shm-copied", summary, remedies })
}

/// `--default-ipc-mode` came with docker 17.10 (commit 7120976d74), private became the default with 19.03.
fn lasting(case: &Case<'_>) -> Remedy {
    let risk = "Containers that share IPC with `--ipc container:…` need `--ipc shareable` on the other one. Restarting docker stops containers unless live-restore is on.";
    if versions::docker_before(case, (18, 3)) {
        return remedy::lasting(
            String::new(),
            "Upgrade docker to 19.03 or newer: containers get their /dev/shm inside their own namespace only.",
            risk,
        );
    }
    if versions::docker(case).is_some_and(|own| own >= (19, 3)) {
        return remedy::lasting(
            "grep -n default-ipc-mode /etc/docker/daemon.json".to_owned(),
            "This docker makes private ones by itself: here the container was started with `--ipc shareable`, or the daemon was told to. Leave both out where nobody shares the memory.",
            risk,
        );
    }
    remedy::lasting(
        format!(
            r#"echo '{{"default-ipc-mode": "private"}}' # into /etc/docker/daemon.json, then: {}"#,
            versions::restart_docker(case)
        ),
        "New containers get their /dev/shm inside their own namespace only. It is the default since docker 19.03.",
        risk,
    )
}
