//! A process with its working directory, root, executable, a mapping or an open file on the target: an operator's
//! shell, a log shipper, a backup (containerd#4020, containerd#11353, gitpod#5260).

use super::{Case, Finding, remedy};
use crate::report::HolderKind;

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::OpenFile {
        return None;
    }
    let files: Vec<String> = case
        .holder
        .open_files
        .iter()
        .take(4)
        .map(|f| format!("pid {} {} {}", f.pid, f.reference, f.path))
        .collect();
    let node = case.holder.open_files.iter().any(|f| f.path.starts_with("/dev/"));
    let what = if node { "has the device itself open" } else { "uses files on it" };
    let who = case.holder.name(case.snapshot);
    let lazy = case.holder.open_files.iter().any(|f| f.path.starts_with('/') && !node)
        && !mounted_in_own_namespace(case);
    let after = if lazy {
        " The mount itself is gone from every table (a lazy umount), so neither grep nor lsof by path shows it."
    } else {
        ""
    };
    let summary = format!("{who} {what}: {}.{after}", files.join("; "));
    let mut remedies = Vec::new();
    match &case.holder.unit {
        Some(unit) if unit.ends_with(".service") => {
            remedies.push(remedy::restart_unit(unit, "Restarts the service, which closes its files"))
        }
        _ => {}
    }
    remedies.extend(remedy::restart_container(case));
    remedies.extend(remedy::end_processes(case));
    remedies.push(remedy::lasting(
        String::new(),
        "Keep shells, backups, scanners and log shippers out of the storage directories of the runtime; read container files through `docker cp`, `docker exec` or the log driver.",
        "",
    ));
    Some(Finding { id: "open-files", summary, remedies })
}

fn mounted_in_own_namespace(case: &Case<'_>) -> bool {
    let namespace = case.holder.namespace.and_then(|key| case.snapshot.namespaces.get(&key));
    namespace.is_some_and(|n| {
        n.tables
            .iter()
            .filter_map(|t| case.snapshot.table(*t))
            .any(|t| t.mounts().any(|(_, m)| case.target.devices.contains(&m.device)))
    })
}
