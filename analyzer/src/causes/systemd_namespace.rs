//! A systemd service with a mount namespace of its own, started while the container was running: its copy of
//! the mount table holds the container's mount (PrivateTmp=, ProtectSystem=, PrivateDevices=, MountFlags=, …).
//! Sources: the oddbit article of 2015 on PrivateTmp, moby#27381 (nginx, php-fpm), moby#16112 (named),
//! openzfs#5038 (ntpd), moby#22260 (systemd-udevd).

use super::{Case, Finding, remedy};
use crate::bytes::shell_quote;
use crate::report::HolderKind;

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
    let udevd = unit == "systemd-udevd.service";
    let summary = format!(
        "{unit} runs in a mount namespace of its own{when}. systemd copied the host's mounts into it while the container's file system was mounted, and the later umount did not reach the copy.",
    );
    let mut remedies: Vec<_> = remedy::remove_mount_point(case).into_iter().collect();
    remedies.push(remedy::restart_unit(&unit, "Restarts the service"));
    remedies.extend(remedy::unmount_inside(case));
    if udevd && case.snapshot.facts.docker_version.is_none() {
        remedies.push(remedy::lasting(
            String::new(),
            "Upgrade docker to 18.03 or newer: it no longer makes its storage directory private, so that umounts reach udevd's namespace (moby#36047).",
            "",
        ));
    } else if !udevd {
        remedies.extend(lasting(&unit));
    }
    Some(Finding { id: "systemd-private-namespace", summary, remedies })
}

fn lasting(unit: &str) -> Vec<crate::report::Remedy> {
    let directory = format!("/etc/systemd/system/{unit}.d");
    let file = format!("{directory}/ebusy.conf");
    vec![
        remedy::lasting(
            format!(
                "mkdir -p {dir}\nprintf '[Unit]\\nBefore=docker.service\\n' > {file}\nsystemctl daemon-reload",
                dir = shell_quote(directory.as_bytes()),
                file = shell_quote(file.as_bytes()),
            ),
            "Starts it before docker at boot, when no container is mounted yet.",
            "Does not help when the service is restarted while containers run.",
        ),
        remedy::lasting(
            format!(
                "mkdir -p {dir}\nprintf '[Service]\\nPrivateTmp=no\\n' > {file}\nsystemctl daemon-reload\nsystemctl restart {unit}",
                dir = shell_quote(directory.as_bytes()),
                file = shell_quote(file.as_bytes()),
                unit = shell_quote(unit.as_bytes()),
            ),
            "Without PrivateTmp= (and without the other sandbox settings of the unit) it shares the host's mounts and sees every umount.",
            "The service shares /tmp with everyone: a step back in security. Other Private…= and Protect…= settings have the same effect and would have to go, too.",
        ),
    ]
}
