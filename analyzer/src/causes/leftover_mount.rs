//! A mount of the target that is still in the namespace of the daemon itself: a leftover of a crash, of `docker cp`
//! (moby#38252), or a storage directory bound on itself (moby#36047, buildah#2030).

use super::{Case, Finding, remedy};
use crate::bytes::shell_quote;
use crate::holders::target_is_running;
use crate::order;
use crate::report::{HolderKind, Remedy};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let own = case.holder.is_daemons || case.holder.kind == HolderKind::Host;
    if !own || case.holder.kind == HolderKind::OpenFile {
        return None;
    }
    if target_is_running(case.snapshot, case.target) {
        return Some(Finding {
            id: "container-running",
            summary: "The container is running; this is the mount that the runtime made for it.".to_owned(),
            remedies: Vec::new(),
        });
    }
    let whose = if case.holder.is_daemons { "the daemon's own" } else { "the host's" };
    Some(Finding {
        id: "leftover-mount",
        summary: format!(
            "It is still mounted in {whose} mount namespace, though the container is not running: the umount failed, or something mounted it again (a crash, `docker cp`, a backup)."
        ),
        remedies: unmount_here(case).into_iter().collect(),
    })
}

/// `umount` where the runtime itself has it, the mounts above others first.
pub(super) fn unmount_here(case: &Case<'_>) -> Option<Remedy> {
    let mut points: Vec<&str> = case
        .holder
        .mounts
        .iter()
        .map(|m| m.mount_point.as_str())
        .filter(|p| !p.contains("\\x") && *p != "/")
        .collect();
    order::sort_by_key(&mut points, |p| std::cmp::Reverse(p.len()));
    points.dedup();
    let pid = case.snapshot.daemon().map(|(pid, _)| pid);
    let host = case.snapshot.host_namespace().map(|n| n.key);
    let prefix = match pid {
        Some(pid) if case.holder.is_daemons && case.holder.namespace != host => {
            format!("nsenter -t {} -m -- ", pid.0)
        }
        _ => String::new(),
    };
    let commands: Vec<String> =
        points.iter().take(20).map(|p| format!("{prefix}umount {}", shell_quote(p.as_bytes()))).collect();
    (!commands.is_empty()).then(|| {
        remedy::now(
            commands.join("\n"),
            "Unmounts it where the runtime expects it to be unmounted.",
            "Fails with \"target is busy\" while files on it are open: then free those first. Do not use `umount -l`, which hides the holder.",
        )
    })
}
