//! Processes that are still in the cgroup that could not be removed (runc#2344, kubernetes#123766). No mount is to
//! blame.

use super::{Case, Finding, remedy};
use crate::report::BusyKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.target.busy != BusyKind::Cgroup || case.holder.pids.is_empty() {
        return None;
    }
    let who = case.holder.name(case.snapshot);
    let mut remedies: Vec<_> = remedy::end_processes(case).into_iter().collect();
    if let Some(path) = case.target.paths.iter().next() {
        remedies.push(remedy::now(
            format!("find {} -name cgroup.procs -exec grep -H . {{}} +", crate::bytes::shell_quote(path)),
            "Lists what is in the cgroup and in those below it.",
            "Reads only.",
        ));
    }
    Some(Finding {
        id: "cgroup-members",
        summary: format!(
            "{} processes are still in the cgroup: {who}. The kernel removes a cgroup only when it is empty; runtimes retry for about a second.",
            case.holder.pids.len()
        ),
        remedies,
    })
}
