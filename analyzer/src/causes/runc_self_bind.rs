//! runc binds a read-only copy of itself into its state directory while a container starts; a stale one keeps the
//! directory from being removed (runc commit 4ecff8d9d).

use super::{Case, Finding, unmount};
use crate::bytes::components;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    let mount = case.holder.mounts.iter().find(|m| {
        let parts: Vec<&[u8]> = components(m.mount_point.as_bytes()).collect();
        matches!(parts[..], [.., b"runc", _, file] if file.starts_with(b"runc."))
    })?;
    if !case.holder.is_daemons {
        return None;
    }
    Some(Finding {
        id: "runc-self-bind",
        summary: format!(
            "{} is a copy of runc that it bound there for a start that never finished.",
            mount.mount_point
        ),
        remedies: unmount::here(case).into_iter().collect(),
    })
}
