//! Commands that several causes share. Everything of the host that goes into a command is quoted.

use super::Case;
use crate::bytes::shell_quote;
use crate::report::{Remedy, When};
use crate::snapshot::Pid;

pub(super) fn now(command: String, effect: impl Into<String>, risk: impl Into<String>) -> Remedy {
    Remedy { when: When::Now, command, effect: effect.into(), risk: risk.into() }
}

pub(super) fn lasting(command: String, effect: impl Into<String>, risk: impl Into<String>) -> Remedy {
    Remedy { when: When::Lasting, command, effect: effect.into(), risk: risk.into() }
}

pub(super) fn restart_unit(unit: &str, what: &str) -> Remedy {
    let also = match unit {
        "docker.service" => " docker's restart stops all containers unless live-restore is on.",
        "containerd.service" | "crio.service" | "cri-o.service" | "kubelet.service" => {
            " Containers go on; new ones cannot start meanwhile."
        }
        "dbus.service" | "dbus-broker.service" | "systemd-logind.service" => {
            " Much of the system depends on it: sessions and services may break. Prefer another way, or a reboot."
        }
        "libvirtd.service" | "virtqemud.service" | "lxd.service" | "lxcfs.service" => {
            " Look first at what its machines or containers do then."
        }
        _ => "",
    };
    now(
        format!("systemctl restart {}", shell_quote(unit.as_bytes())),
        format!("{what}: the new processes get a fresh copy of the mounts, without this one."),
        format!("Interrupts {unit} for the time of the restart.{also}"),
    )
}

/// Restarts what the holder's processes belong to, or ends them where they belong to nothing.
pub(super) fn restart(case: &Case<'_>) -> Option<Remedy> {
    match (&case.holder.unit, &case.holder.container) {
        (_, Some(_)) => restart_container(case),
        (Some(unit), None) if unit.ends_with(".service") => Some(restart_unit(unit, "Restarts the service")),
        _ => end_processes(case),
    }
}

/// Restarts the container by the runtime's own name for it.
pub(super) fn restart_container(case: &Case<'_>) -> Option<Remedy> {
    let container = case.holder.container.as_ref()?;
    let name = container.name.as_deref().unwrap_or(&container.id);
    let runtime = case.snapshot.containers.get(&container.id).and_then(|c| c.record.runtime.clone());
    let tool = match runtime.as_deref() {
        Some("podman") => "podman restart",
        Some("cri-o" | "containerd") => "crictl stop",
        _ => "docker restart",
    };
    Some(now(
        format!("{tool} {}", shell_quote(name.as_bytes())),
        "Its new mount namespace is made from the mounts of now, without this one.",
        format!("Interrupts container {name}."),
    ))
}

/// Ends processes that belong to no unit and no container, each by name.
pub(super) fn end_processes(case: &Case<'_>) -> Option<Remedy> {
    let pids: Vec<Pid> = case.holder.pids.iter().copied().filter(|p| p.0 != 1).collect();
    let first = pids.first()?;
    let name = case.snapshot.processes.get(first).map(crate::snapshot::Process::name).unwrap_or_default();
    if pids
        .iter()
        .any(|p| case.snapshot.processes.get(p).is_some_and(crate::snapshot::Process::is_runtime_process))
    {
        return None;
    }
    let list: Vec<String> = pids.iter().take(40).map(|p| p.0.to_string()).collect();
    Some(now(
        format!("kill {}", list.join(" ")),
        if pids.len() == 1 {
            format!("Ends {name} ({first}); its namespace and open files go with it.", first = first.0)
        } else {
            format!(
                "Ends these {} processes ({name} …); their namespace and open files go with them.",
                pids.len()
            )
        },
        "Whatever they do is interrupted. Look at them first: `ps -fp PID`. Check that the pids are still the same processes.",
    ))
}
