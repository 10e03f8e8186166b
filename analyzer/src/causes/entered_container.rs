//! A process that is in the target container's mount namespace without being in its cgroup: `nsenter`, a debug
//! shell, a scanner. It keeps the namespace, and with it the root file system, after the container is gone.

use super::{Case, Finding, remedy};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.is_target
        || matches!(
            case.holder.kind,
            HolderKind::Host | HolderKind::Pinned | HolderKind::OpenFile | HolderKind::Device
        )
    {
        return None;
    }
    case.holder.mounts.iter().find(|m| m.mount_point == "/")?;
    let who = case.holder.name(case.snapshot);
    let summary = format!(
        "{who} is inside the mount namespace of {} (its root file system is the namespace's /), but is not one of its processes: somebody entered it, with nsenter or a tool like it.",
        case.target.label()
    );
    let mut remedies = match &case.holder.unit {
        Some(unit) if unit.ends_with(".service") => vec![remedy::restart_unit(unit, "Ends what is inside")],
        _ => Vec::new(),
    };
    remedies.extend(remedy::end_processes(case));
    remedies.push(remedy::lasting(
        String::new(),
        "Use `docker exec` instead of nsenter: its processes end with the container. Set tools that enter namespaces (scanners, agents) to leave container namespaces alone.",
        "",
    ));
    Some(Finding { id: "entered-container-namespace", summary, remedies })
}
