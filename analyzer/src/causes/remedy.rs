//! Commands that several causes share. Everything of the host that goes into a command is quoted.

use super::Case;
use crate::bytes::{position_of_any, same_path, shell_quote};
use crate::order;
use crate::report::{BusyKind, HolderKind, MountView, Remedy, When};
use crate::snapshot::Pid;

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
    // The mount point's directory on the host: the copy's own path, or what is left of it after `/rootfs`.
    let mount = case.holder.mounts.iter().find(|m| m.mount_point != "/" && !m.mount_point.contains("\\x"))?;
    let path = host_path(&mount.mount_point)?;
    Some(now(
        format!("rmdir {}", shell_quote(path.as_bytes())),
        "Removes the empty mount point; this kernel then drops the copies of the mount in all other namespaces at once, and the device is free.",
        "None for the processes. It fails harmlessly where something is still mounted there or files are in the directory.",
    ))
}

fn host_path(mount_point: &str) -> Option<&str> {
    const STORAGE: [&[u8]; 3] = [b"/var/lib/docker/", b"/var/lib/containers/", b"/run/containerd/"];
    mount_point.get(position_of_any(mount_point.as_bytes(), &STORAGE).unwrap_or(0)..)
}

/// The holder's mounts of the busy object itself; where its devices are known, other mounts of the same
/// container need not go.
fn object_mounts<'c>(case: &'c Case<'_>) -> impl Iterator<Item = &'c MountView> {
    let of_device = |m: &&MountView| case.target.devices.iter().any(|d| d.to_string() == m.device);
    let any = case.holder.mounts.iter().any(|m| of_device(&m));
    case.holder.mounts.iter().filter(move |m| !any || of_device(m))
}

/// Unmounts the copy inside its namespace.
pub(super) fn unmount_inside(case: &Case<'_>) -> Option<Remedy> {
    let pid = case.holder.pids.first().copied()?;
    unmount_in_namespace_of(case, pid)
}

pub(super) fn unmount_in_namespace_of(case: &Case<'_>, pid: Pid) -> Option<Remedy> {
    let root_link = case.snapshot.processes.get(&pid).and_then(|p| p.root.as_deref()).unwrap_or(b"/");
    let root = if same_path(root_link, b"/") { "" } else { " -r" };
    // Mounts above others go first.
    let mut points: Vec<&str> = object_mounts(case)
        .map(|m| m.mount_point.as_str())
        .filter(|p| *p != "/" && !p.contains("\\x"))
        .collect();
    order::sort_by_key(&mut points, |p| std::cmp::Reverse(p.len()));
    points.dedup();
    points.truncate(20);
    if points.is_empty() {
        return None;
    }
    let commands: Vec<String> = points
        .iter()
        .map(|p| format!("nsenter -t {} -m{root} -- umount {}", pid.0, shell_quote(p.as_bytes())))
        .collect();
    Some(now(
        commands.join("\n"),
        "Unmounts the copy in that namespace only; its processes go on.",
        "They lose sight of the container's files. In a container's namespace it needs `umount` in the image.",
    ))
}

pub(super) fn restart_unit(unit: &str, what: &str) -> Remedy {
    now(
        format!("systemctl restart {}", shell_quote(unit.as_bytes())),
        format!("{what}: the new processes get a fresh copy of the mounts, without this one."),
        format!("Interrupts {unit} for the time of the restart."),
    )
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
    let mut remedies: Vec<Remedy> =
        remove_mount_point(case).into_iter().chain(unmount_inside(case)).collect();
    match (&case.holder.unit, &case.holder.container) {
        (_, Some(_)) => remedies.extend(restart_container(case)),
        (Some(unit), None) if unit.ends_with(".service") => {
            remedies.push(restart_unit(unit, "Restarts the service"))
        }
        _ => remedies.extend(end_processes(case)),
    }
    remedies
}
