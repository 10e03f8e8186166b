//! `containers/ID/shm` or a secrets tmpfs that was copied into another namespace (moby#17902, moby#20560,
//! moby#31195; gone with private IPC by default in docker 19.03, commit 596ca142e0).

use super::{Case, Finding, remedy};
use crate::bytes::components;
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if matches!(case.holder.kind, HolderKind::Host | HolderKind::OpenFile | HolderKind::Device) {
        return None;
    }
    let mount = case.holder.mounts.iter().find(|m| {
        let last = components(m.mount_point.as_bytes()).next_back().unwrap_or_default();
        // Only where it is the busy object; whoever has a container's root mostly has its shm, too.
        let is_busy = case
            .target
            .paths
            .iter()
            .any(|p| crate::resolve::is_mount_of_path(case.target, m.mount_point.as_bytes(), p));
        is_busy && m.fs_type == "tmpfs" && matches!(last, b"shm" | b"secrets")
    })?;
    let who = case.holder.name(case.snapshot);
    let summary = format!(
        "{who} holds a copy of {}, the container's own tmpfs. docker before 19.03 mounted it in the host's namespace, where every namespace made meanwhile copied it.",
        mount.mount_point
    );
    let mut remedies = remedy::for_any_holder(case);
    remedies.push(remedy::lasting(
        r#"echo '{"default-ipc-mode": "private"}' # into /etc/docker/daemon.json, then: systemctl restart docker"#.to_owned(),
        "New containers get their /dev/shm inside their own namespace only. It is the default since docker 19.03.",
        "Containers that share IPC with `--ipc container:…` need `--ipc shareable` on the other one. Restarting docker stops containers unless live-restore is on.",
    ));
    Some(Finding { id: "shm-copied", summary, remedies })
}
