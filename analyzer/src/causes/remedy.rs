//! Commands that several causes share. Everything of the host that goes into a command is quoted.

use super::{Case, unmount};
use crate::bytes::shell_quote;
use crate::report::{BusyKind, HolderKind, Remedy, When};
use crate::snapshot::{MountId, Pid};

pub(super) fn now(command: String, effect: impl Into<String>, risk: impl Into<String>) -> Remedy {
    Remedy { when: When::Now, command, effect: effect.into(), risk: risk.into() }
}

pub(super) fn lasting(command: String, effect: impl Into<String>, risk: impl Into<String>) -> Remedy {
    Remedy { when: When::Lasting, command, effect: effect.into(), risk: risk.into() }
}

/// `rmdir MOUNTPOINT`: once the mount is gone from the own namespace, a kernel that drops foreign mounts frees
/// the device from all copies, and no process notices (tried on 6.1 and 6.18). Only where nothing but foreign
/// mounts at that very directory is left.
pub(super) fn remove_mount_point(case: &Case<'_>) -> Option<Remedy> {
    if case.snapshot.facts.drops_foreign_mounts() != Some(true)
        || case.target.busy != BusyKind::Device
        || case.holder.is_daemons
        || case.holder.kind == HolderKind::Host
        || !case.holder.open_files.is_empty()
    {
        return None;
    }
    let host = case.snapshot.host_namespace()?;
    let still_mounted = host
        .tables
        .iter()
        .filter_map(|t| case.snapshot.table(*t))
        .any(|t| t.mounts().any(|(_, m)| case.target.devices.contains(&m.device)));
    if still_mounted {
        return None;
    }
    // Every copy must be on that very directory, which must be the container's own.
    let key = case.holder.namespace?;
    let mut path: Option<Vec<u8>> = None;
    for mount in unmount::object_mounts(case) {
        let (_, _, below) = case.snapshot.parent_of(key, MountId(mount.id))?;
        let at = case.snapshot.path_in(host, &below, mount.mount_point.as_bytes())?;
        if path.is_some_and(|known| known != at) {
            return None;
        }
        path = Some(at);
    }
    let is_own = |path: &Vec<u8>| {
        case.target.paths.iter().any(|p| crate::bytes::same_path(p, path))
            || crate::bytes::components(path).any(|c| case.target.id_in(c).is_some())
    };
    let path = path.filter(is_own)?;
    Some(now(
        format!("rmdir {}", shell_quote(&path)),
        "Removes the empty mount point; this kernel then drops the copies of the mount in all other namespaces at once, and the device is free.",
        "None for the processes. It fails harmlessly where something is still mounted there or files are in the directory.",
    ))
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

/// What frees a holder whose cause is not known.
pub(super) fn for_any_holder(case: &Case<'_>) -> Vec<Remedy> {
    [remove_mount_point(case), unmount::inside(case), restart(case)].into_iter().flatten().collect()
}
