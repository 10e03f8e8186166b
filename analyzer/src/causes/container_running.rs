//! The container's own processes: it runs, or they survived its end (containerd#4020, kubernetes#123766).

use super::{Case, Finding, remedy};
use crate::bytes::shell_quote;
use crate::holders::target_is_running;
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if !case.holder.is_target || case.holder.kind != HolderKind::Container {
        return None;
    }
    let state = case.target.state.as_deref().unwrap_or("unknown to the runtime");
    let stuck: Vec<String> = case
        .holder
        .pids
        .iter()
        .filter(|p| case.snapshot.processes.get(p).is_some_and(|p| p.state == Some('D')))
        .map(|p| p.0.to_string())
        .collect();
    if !stuck.is_empty() {
        return Some(Finding {
            id: "uninterruptible-process",
            summary: format!(
                "Processes of the container (pid {}) wait in the kernel and cannot be ended (state D), so the file system stays in use.",
                stuck.join(", ")
            ),
            remedies: vec![remedy::now(
                format!("cat /proc/{}/stack", stuck[0]),
                "Shows what it waits for: mostly a server or disk that does not answer. It ends when that does.",
                "None. Where it never ends, only a reboot helps.",
            )],
        });
    }
    let starting = case.holder.pids.iter().find(|p| {
        // runc's first stage is called so until it becomes the container's program (libcontainer/nsenter/nsexec.c).
        case.snapshot
            .processes
            .get(p)
            .is_some_and(|p| p.comm.starts_with(b"runc:[") || p.comm == b"runc init")
    });
    if let Some(pid) = starting {
        return Some(Finding {
            id: "runc-init-stuck",
            summary: format!(
                "`runc init` (pid {}) of the container never became its program: a start that hangs or was given up (runc#4040). It already lives in the container's mount namespace and keeps its file system.",
                pid.0
            ),
            remedies: remedy::end_processes(case).into_iter().collect(),
        });
    }
    let name = case.target.name.clone().or_else(|| case.target.container.clone())?;
    let running =
        target_is_running(case.snapshot, case.target) && matches!(state, "running" | "paused" | "restarting");
    let (id, summary) = if running {
        (
            "container-running",
            format!(
                "{} is running (state {state}): it holds its own file system, as it should.",
                case.target.label()
            ),
        )
    } else {
        (
            "container-survivor",
            format!(
                "The runtime calls the container {state}, but processes of it are still alive and hold its file system."
            ),
        )
    };
    let mut remedies = Vec::new();
    if running {
        remedies.push(remedy::now(
            format!("docker stop {}", shell_quote(name.as_bytes())),
            "Stops it; the runtime then unmounts its file system.",
            "Ends what the container does.",
        ));
    } else {
        remedies.extend(remedy::end_processes(case));
    }
    Some(Finding { id, summary, remedies })
}
