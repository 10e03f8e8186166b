//! A systemd service with a mount namespace of its own, started while the container was running: its copy of
//! the mount table holds the container's mount (PrivateTmp=, ProtectSystem=, PrivateDevices=, MountFlags=, …).
//! Sources: the oddbit article of 2015 on PrivateTmp, moby#27381 (nginx, php-fpm), moby#16112 (named),
//! openzfs#5038 (ntpd), moby#22260 (systemd-udevd).

use super::{Case, Finding, remedy};
use crate::bytes::{components, shell_quote, visible};
use crate::report::{Evidence, HolderKind};
use crate::snapshot::{MountNamespace, Snapshot};

/// What systemd leaves in a namespace that it made: the unit's name and the line that shows it.
pub(crate) fn marks(snapshot: &Snapshot, namespace: &MountNamespace) -> Option<(String, Evidence)> {
    for table in namespace.tables.iter().filter_map(|t| snapshot.table(*t)) {
        for (line, mount) in table.mounts() {
            let root = mount.root();
            // /tmp/systemd-private-BOOTID-UNIT-XXXXXX/tmp (systemd core/namespace.c, setup_one_tmp_dir) …
            let private_tmp = components(&root).find_map(unit_of_private_tmp);
            // … or /systemd/propagate/UNIT on /run/systemd/incoming (systemd.exec(5), since systemd 209).
            let propagate = (mount.mount_point().ends_with(b"/systemd/incoming")
                && memchr::memmem::find(&root, b"/propagate/").is_some())
            .then(|| components(&root).next_back().map(visible))
            .flatten();
            if let Some(unit) = private_tmp.or(propagate) {
                return Some((unit, table.evidence(line, mount.line)));
            }
        }
    }
    let unit = snapshot.processes.get(namespace.pids.first()?)?.membership.unit.as_deref()?;
    let properties = snapshot.units.get(unit)?;
    let private = ["PrivateTmp", "PrivateMounts", "PrivateDevices", "ProtectHome", "ProtectSystem"];
    let set = private.iter().find_map(|p| {
        properties.get_key_value(*p).filter(|(_, v)| !matches!(v.as_str(), "no" | "" | "false"))
    });
    let flags =
        || properties.get_key_value("MountFlags").filter(|(_, v)| !matches!(v.as_str(), "" | "0" | "shared"));
    let (key, value) = set.or_else(flags)?;
    let file = format!("systemd/{}.show", visible(unit));
    Some((visible(unit), Evidence { file, line: None, text: format!("{key}={value}") }))
}

fn unit_of_private_tmp(component: &[u8]) -> Option<String> {
    let rest = component.strip_prefix(b"systemd-private-")?;
    // A boot id of 32 digits since systemd 216; before that the unit follows at once (RHEL 7 has the id too).
    let rest = match rest.get(..33) {
        Some(id) if id[32] == b'-' && id[..32].iter().all(u8::is_ascii_hexdigit) => &rest[33..],
        _ => rest,
    };
    let dash = memchr::memrchr(b'-', rest)?;
    let unit = &rest[..dash];
    (!unit.is_empty()).then(|| visible(unit))
}

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::SystemdUnit {
        return None;
    }
    let namespace = case.snapshot.namespaces.get(&case.holder.namespace?)?;
    let (marked, _) = marks(case.snapshot, namespace)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unit_is_read_from_the_directory_that_systemd_made() {
        let unit = |c: &str| unit_of_private_tmp(c.as_bytes());
        let with_boot_id = "systemd-private-0123456789abcdef0123456789abcdef-httpd.service-aB3dEf";
        assert_eq!(unit(with_boot_id).as_deref(), Some("httpd.service"));
        let dashes = "systemd-private-0123456789abcdef0123456789abcdef-php-fpm.service-aB3dEf";
        assert_eq!(unit(dashes).as_deref(), Some("php-fpm.service"));
        assert_eq!(unit("systemd-private-httpd.service-x").as_deref(), Some("httpd.service"));
        assert_eq!(unit("my-systemd-private-x"), None);
    }
}
