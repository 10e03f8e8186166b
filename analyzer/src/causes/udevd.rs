//! systemd-udevd lives in a mount namespace of its own (`MountFlags=slave`, later `PrivateMounts=yes`) and starts
//! before everything else; where docker made its storage private, it keeps what it copied at a restart (moby#22260,
//! rkt#1922).

use super::{Case, Finding, remedy, unmount, versions};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if !matches!(case.holder.kind, HolderKind::SystemdUnit | HolderKind::Unshared) {
        return None;
    }
    let by_unit = case.holder.unit.as_deref() == Some("systemd-udevd.service");
    let process = case.holder.pids.first().and_then(|p| case.snapshot.processes.get(p));
    let by_name = process.is_some_and(|p| matches!(&p.comm[..], b"systemd-udevd" | b"udevd"));
    if !by_unit && !by_name {
        return None;
    }
    let mut remedies: Vec<_> = unmount::remove_mount_point(case).into_iter().collect();
    remedies.push(remedy::restart_unit("systemd-udevd.service", "Restarts udevd"));
    remedies.extend(unmount::inside(case));
    if versions::docker(case).is_none() || versions::docker_before(case, (18, 3)) {
        remedies.push(remedy::lasting(
            String::new(),
            "Upgrade docker to 18.03 or newer: it no longer makes its storage directory private, so that umounts reach udevd's namespace (moby#36047).",
            "An upgrade of docker stops the containers unless live-restore is on.",
        ));
    }
    Some(Finding {
        id: "udevd-namespace",
        summary: "systemd-udevd runs in a mount namespace of its own (MountFlags= or PrivateMounts= of its unit) and has a copy of the container's mount in it.".to_owned(),
        remedies,
    })
}
