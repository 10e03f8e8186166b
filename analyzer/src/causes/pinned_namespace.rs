//! A mount namespace without a process, kept by a bind mount of its nsfs file or by a descriptor: no
//! `/proc/PID/mountinfo` shows it (util-linux#1881, util-linux#1884; snap keeps such in /run/snapd/ns).

use super::{Case, Finding, remedy};
use crate::bytes::shell_quote;
use crate::report::HolderKind;
use crate::snapshot::{NamespacePin, PinnedBy};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::Pinned {
        return None;
    }
    let inode = match case.holder.namespace? {
        crate::snapshot::NamespaceKey::Inode(inode) => inode,
        crate::snapshot::NamespaceKey::LowestMount(_) => return None,
    };
    let pins: Vec<&NamespacePin> =
        case.snapshot.pins.iter().filter(|p| p.kind == b"mnt" && p.inode == inode).collect();
    let mut kept = Vec::new();
    let mut remedies: Vec<_> = remedy::remove_mount_point(case).into_iter().collect();
    for pin in pins {
        match &pin.by {
            PinnedBy::Descriptor(pid, descriptor) => {
                let name =
                    case.snapshot.processes.get(pid).map(crate::snapshot::Process::name).unwrap_or_default();
                let descriptor = crate::bytes::visible(descriptor);
                kept.push(format!("{descriptor} of {name} ({})", pid.0));
                remedies.push(descriptor_remedy(case, *pid, &name));
            }
            PinnedBy::Bind(table, path) => {
                let shown = crate::bytes::visible(path);
                if kept.iter().any(|k: &String| k.ends_with(&shown)) {
                    continue;
                }
                kept.push(format!("a bind mount at {shown}"));
                remedies.push(unbind(case, *table, path));
            }
            PinnedBy::Noted(text) => kept.push(crate::bytes::visible(text)),
        }
    }
    let kept =
        if kept.is_empty() { "something that the bundle does not show".to_owned() } else { kept.join(", ") };
    let summary = format!(
        "No process is in mount namespace {}, but it lives on, kept by {kept}. Its copy of the mount stays with it.",
        inode.0
    );
    remedies.push(remedy::lasting(
        String::new(),
        "Whatever pins namespaces (a snap, a CNI plugin, a script with `unshare --mount=FILE`) should make them slaves of the host: `unshare --mount=FILE --propagation slave`.",
        "",
    ));
    Some(Finding { id: "pinned-namespace", summary, remedies })
}

fn descriptor_remedy(case: &Case<'_>, pid: crate::snapshot::Pid, name: &str) -> crate::report::Remedy {
    let unit = case
        .snapshot
        .processes
        .get(&pid)
        .and_then(|p| p.membership.unit.as_deref())
        .map(crate::bytes::visible);
    match unit {
        Some(unit) if unit.ends_with(".service") => {
            remedy::restart_unit(&unit, "Restarts the service that holds the descriptor")
        }
        _ => remedy::now(
            format!("kill {}", pid.0),
            format!("Ends {name} ({}), which holds the descriptor; the namespace goes with it.", pid.0),
            "Whatever it does is interrupted.",
        ),
    }
}

fn unbind(case: &Case<'_>, table: crate::snapshot::TableId, path: &[u8]) -> crate::report::Remedy {
    let host = case.snapshot.host_namespace();
    let in_host = host.is_some_and(|h| h.tables.contains(&table));
    let owner = case.snapshot.processes.iter().find(|(_, p)| p.table == Some(table)).map(|(pid, _)| *pid);
    let path = shell_quote(path);
    let command = match (in_host, owner) {
        (false, Some(pid)) => format!("nsenter -t {} -m -- umount {path}", pid.0),
        _ => format!("umount {path}"),
    };
    remedy::now(
        command,
        "Removes the pin; the namespace ends, and its mounts with it.",
        "Whoever made the pin loses the namespace: for a snap it is made anew at its next start.",
    )
}
