//! A mount namespace without a process, kept by a bind mount of its nsfs file or by a descriptor: no
//! `/proc/PID/mountinfo` shows it (util-linux#1881, util-linux#1884; snap keeps such in /run/snapd/ns).

use super::{Case, Finding, remedy, unmount};
use crate::bytes::shell_quote;
use crate::report::{HolderKind, Remedy};
use crate::snapshot::{NamespaceKey, Pid, PinnedBy};

pub(super) fn check(case: &Case<'_>) -> Option<Finding> {
    if case.holder.kind != HolderKind::Pinned {
        return None;
    }
    let inode = match case.holder.namespace? {
        NamespaceKey::Inode(inode) => Some(inode),
        NamespaceKey::LowestMount(_) => None,
    };
    let pins = inode.map_or(&[][..], |inode| case.snapshot.pins_of(inode));
    let mut kept = Vec::new();
    let mut remedies: Vec<_> = unmount::remove_mount_point(case).into_iter().collect();
    for pin in pins {
        match &pin.by {
            PinnedBy::Descriptor(pid, descriptor) => {
                let name =
                    case.snapshot.processes.get(pid).map(crate::snapshot::Process::name).unwrap_or_default();
                let descriptor = crate::bytes::visible(descriptor);
                kept.push(format!("{descriptor} of {name} ({})", pid.0));
                if descriptor.starts_with("fd/") {
                    let file = format!("--mount=/proc/{}/{descriptor}", pid.0);
                    remedies.extend(unmount::inside_pinned(case, &file, None));
                }
                remedies.push(descriptor_remedy(case, *pid, &name));
            }
            PinnedBy::Bind(_, path) | PinnedBy::BindSeenBy(_, path) => {
                let shown = format!("a bind mount at {}", crate::bytes::visible(path));
                if !kept.contains(&shown) {
                    kept.push(shown);
                    remedies.extend(unmount::inside_pinned(
                        case,
                        &format!("--mount={}", shell_quote(path)),
                        foreign(case, &pin.by),
                    ));
                    remedies.push(unbind(case, &pin.by, path));
                }
            }
            PinnedBy::Noted(text) => kept.push(crate::bytes::visible(text)),
        }
    }
    let kept =
        if kept.is_empty() { "something that the bundle does not show".to_owned() } else { kept.join(", ") };
    let summary = format!(
        "No process is in mount namespace {}, but it lives on, kept by {kept}. Its copy of the mount stays with it.",
        inode.map_or_else(|| "(number unknown)".to_owned(), |i| i.0.to_string())
    );
    remedies.push(remedy::lasting(
        String::new(),
        "Whatever pins namespaces (a snap, a CNI plugin, a script with `unshare --mount=FILE`) should make them slaves of the host: `unshare --mount=FILE --propagation slave`.",
        "",
    ));
    Some(Finding { id: "pinned-namespace", summary, remedies })
}

fn descriptor_remedy(case: &Case<'_>, pid: Pid, name: &str) -> Remedy {
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

/// A process in whose namespace the pin is, where that is not the host's.
fn foreign(case: &Case<'_>, by: &PinnedBy) -> Option<Pid> {
    let processes = &case.snapshot.processes;
    let seen_by = match by {
        PinnedBy::Bind(table, _) => {
            processes.iter().find(|(_, p)| p.table == Some(*table)).map(|(pid, _)| *pid)
        }
        PinnedBy::BindSeenBy(pid, _) | PinnedBy::Descriptor(pid, _) => Some(*pid),
        PinnedBy::Noted(_) => None,
    };
    seen_by.filter(|pid| {
        let of = case.snapshot.namespace_of(*pid).map(|n| n.key);
        of.is_some() && of != case.snapshot.host_namespace().map(|n| n.key)
    })
}

fn unbind(case: &Case<'_>, by: &PinnedBy, path: &[u8]) -> Remedy {
    let path = shell_quote(path);
    let command = match foreign(case, by) {
        Some(pid) => format!("nsenter -t {} -m -- umount {path}", pid.0),
        None => format!("umount {path}"),
    };
    remedy::now(
        command,
        "Removes the pin; the namespace ends, and its mounts with it.",
        "Whoever made the pin loses the namespace: for a snap it is made anew at its next start.",
    )
}
