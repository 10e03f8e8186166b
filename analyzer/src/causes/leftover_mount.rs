//! A mount of the target that is still in the namespace of the daemon itself: a leftover of a crash or of somebody who
//! mounted it again.

use super::{Case, Finding, unmount};
use crate::holders::target_is_running;
use crate::report::HolderKind;

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
        remedies: unmount::here(case).into_iter().collect(),
    })
}
