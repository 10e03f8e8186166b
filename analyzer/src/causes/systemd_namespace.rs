//! A systemd service with a mount namespace of its own, started while the container was running: its copy of
//! the mount table holds the container's mount (PrivateTmp=, ProtectSystem=, PrivateDevices=, MountFlags=, …).
//! Sources: the oddbit article of 2015 on PrivateTmp, moby#27381 (nginx, php-fpm), moby#16112 (named),
//! openzfs#5038 (ntpd), moby#22260 (systemd-udevd).

use super::{Case, Finding, remedy, unmount};
use crate::bytes::shell_quote;
use crate::report::{HolderKind, Remedy};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::SystemdUnit {
        return None;
    }
    let namespace = case.snapshot.namespaces.get(&case.holder.namespace?)?;
    let (marked, _) = case.snapshot.systemd_marks(namespace)?;
    let unit = case.holder.unit.clone().unwrap_or(marked);
    let started = case
        .holder
        .pids
        .first()
        .and_then(|p| case.snapshot.processes.get(p))
        .and_then(|p| case.snapshot.started_at(p));
    let when = started.map(|t| format!(", started {t}")).unwrap_or_default();
    let summary = format!(
        "{unit} runs in a mount namespace of its own{when}. systemd copied the host's mounts into it while the container's file system was mounted, and the later umount did not reach the copy.",
    );
    let mut remedies: Vec<_> = unmount::remove_mount_point(case).into_iter().collect();
    remedies.push(remedy::restart_unit(&unit, "Restarts the service"));
    remedies.extend(unmount::inside(case));
    remedies.extend(lasting(case, &unit));
    Some(Finding { id: "systemd-private-namespace", summary, remedies })
}

fn lasting(case: &Case<'_>, unit: &str) -> Vec<Remedy> {
    let directory = format!("/etc/systemd/system/{unit}.d");
    let dir = shell_quote(directory.as_bytes());
    let file = shell_quote(format!("{directory}/ebusy.conf").as_bytes());
    let quoted_unit = shell_quote(unit.as_bytes());
    let mut remedies = vec![remedy::lasting(
        format!(
            "mkdir -p {dir}\nprintf '[Unit]\\nBefore=docker.service\\n' > {file}\nsystemctl daemon-reload"
        ),
        "Starts it before docker at boot, when no container is mounted yet.",
        "Does not help when the service is restarted while containers run.",
    )];
    let settings = settings(case, unit);
    let lines: String = settings.iter().map(|(name, off)| format!("{name}={off}\\n")).collect();
    let names: Vec<&str> = settings.iter().map(|(name, _)| *name).collect();
    remedies.push(remedy::lasting(
        format!("mkdir -p {dir}\nprintf '[Service]\\n{lines}' > {file}\nsystemctl daemon-reload\nsystemctl restart {quoted_unit}"),
        format!("Without {}= it shares the host's mounts and sees every umount.", names.join("=, ")),
        if case.snapshot.units.contains_key(unit.as_bytes()) {
            "The service loses these protections: a step back in security."
        } else {
            "The service shares /tmp with everyone: a step back in security. Other Private…= and Protect…= settings have the same effect and would have to go, too."
        },
    ));
    remedies
}

/// The unit's settings that give it a mount namespace, each with the value that does not (systemd.exec(5)).
fn settings(case: &Case<'_>, unit: &str) -> Vec<(&'static str, &'static str)> {
    const ALL: [(&str, &str); 7] = [
        ("PrivateTmp", "no"),
        ("PrivateDevices", "no"),
        ("PrivateMounts", "no"),
        ("ProtectSystem", "no"),
        ("ProtectHome", "no"),
        ("ProtectKernelTunables", "no"),
        ("MountFlags", ""),
    ];
    let is_off = |value: &str| matches!(value, "" | "no" | "false" | "0");
    let known = case.snapshot.units.get(unit.as_bytes());
    let set: Vec<_> = ALL
        .into_iter()
        .filter(|(name, _)| known.and_then(|k| k.get(*name)).is_some_and(|value| !is_off(value)))
        .collect();
    if set.is_empty() { vec![("PrivateTmp", "no")] } else { set }
}
