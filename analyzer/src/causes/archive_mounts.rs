//! `docker cp` mounts the container's volumes below its root file system in the daemon's namespace, and cannot
//! always unmount them again (moby#38252, moby#38995, moby#24232).

use super::{Case, Finding, remedy, unmount};
use crate::bytes::{is_at_or_below, same_path};
use crate::holders::target_is_running;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if !case.holder.is_daemons || !case.holder.open_files.is_empty() {
        return None;
    }
    // Inside of the busy path, of another file system or another directory than the root file system itself.
    let inside = |point: &[u8]| {
        case.target.paths.iter().any(|p| is_at_or_below(point, p) && !same_path(point, p))
            && case.target.container.is_some()
    };
    let volume = case.holder.mounts.iter().find(|m| {
        inside(m.mount_point.as_bytes())
            && !case.target.devices.iter().any(|d| d.to_string() == m.device)
            && !matches!(
                m.fs_type.as_str(),
                "proc" | "sysfs" | "nsfs" | "mqueue" | "devpts" | "cgroup" | "cgroup2"
            )
    })?;
    let running = target_is_running(case.snapshot, case.target);
    let state = if running { "while the container runs" } else { "though the container is not running" };
    let mut remedies: Vec<_> = unmount::here(case).into_iter().collect();
    remedies.push(remedy::lasting(
        String::new(),
        "Do not use `docker cp` on containers that have the host's directories bound with rslave or nested volumes; copy through `docker exec … tar` or a volume. Newer dockers (since 2023) copy in a mount namespace of its own.",
        "",
    ));
    Some(Finding {
        id: "archive-mounts",
        summary: format!(
            "{} is still mounted inside of the container's root file system in the daemon's own namespace, {state}: `docker cp` mounts volumes there and could not unmount this one.",
            volume.mount_point
        ),
        remedies,
    })
}
