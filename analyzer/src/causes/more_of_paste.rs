//! The one command whose output would tell most beside what was pasted.

use super::remedy;
use crate::bytes::shell_quote;
use crate::report::{AliasKind, BusyKind, Remedy};
use crate::resolve::Target;
use crate::snapshot::{Snapshot, TableForm};

/// So many processes are named in one command.
const MOST_PIDS: usize = 40;

/// What to run and paste as well.
pub(super) fn next_command(snapshot: &Snapshot, target: &Target) -> Remedy {
    let words = search_words(target);
    if snapshot.tables.is_empty() && words.is_empty() {
        return collector("It takes from the host all that tells who holds what, in one file.");
    }
    let only_listings = !snapshot.tables.iter().any(|t| t.form == TableForm::Mountinfo);
    if only_listings && !words.is_empty() {
        let patterns: Vec<String> =
            words.iter().map(|w| format!("-e {}", shell_quote(w.as_bytes()))).collect();
        return paste(
            format!("grep -nF {} /proc/[0-9]*/mountinfo", patterns.join(" ")),
            "Lists the mounts of it in every process, with device numbers and propagation.",
        );
    }
    let by_kernel = matches!(target.busy, BusyKind::Directory | BusyKind::NamespaceFile);
    if by_kernel && snapshot.facts.kernel.is_none() && !snapshot.tables.is_empty() {
        return paste(
            "uname -a".to_owned(),
            "Tells the kernel, on which it depends whether a mount in another namespace blocks a removal.",
        );
    }
    let pids = |lacks: &dyn Fn(&crate::snapshot::Process) -> bool| {
        let of = snapshot.processes.iter().filter(|(_, p)| p.table.is_some() && lacks(p));
        of.take(MOST_PIDS).map(|(pid, _)| pid.0.to_string()).collect::<Vec<_>>()
    };
    let nameless = pids(&|p| p.comm.is_empty() && p.cmdline.is_empty());
    if !nameless.is_empty() {
        return paste(
            format!("ps -ww -o pid,ppid,lstart,args -p {}", nameless.join(",")),
            "Names the processes whose mounts are in the text.",
        );
    }
    let unlinked = pids(&|p| p.mount_namespace.is_none());
    if !unlinked.is_empty() {
        let links: Vec<String> = unlinked.iter().map(|p| format!("/proc/{p}/ns/mnt")).collect();
        return paste(
            format!("ls -l /proc/1/ns/mnt {}", links.join(" ")),
            "Tells which of them share one mount namespace, and which is the host's.",
        );
    }
    let placeless = pids(&|p| p.membership.evidence().is_none());
    if !placeless.is_empty() {
        let files: Vec<String> = placeless.iter().map(|p| format!("/proc/{p}/cgroup")).collect();
        return paste(
            format!("grep -H . {}", files.join(" ")),
            "Tells the unit or container of each process.",
        );
    }
    collector(
        "It also sees open files, namespaces without a process and stacked devices, which no paste shows.",
    )
}

/// What mountinfo has of the target: the layer where it is known, for a container's id is seldom in a mount.
fn search_words(target: &Target) -> Vec<&str> {
    let of =
        |kind: AliasKind| target.aliases.iter().filter(move |a| a.kind == kind).map(|a| a.value.as_str());
    let layers: Vec<&str> = of(AliasKind::LayerId).chain(of(AliasKind::Other)).collect();
    let all = if layers.is_empty() {
        of(AliasKind::ContainerId).chain(of(AliasKind::Device)).chain(of(AliasKind::Dataset)).collect()
    } else {
        layers
    };
    if all.is_empty() { of(AliasKind::Path).chain(of(AliasKind::Name)).collect() } else { all }
}

fn paste(command: String, effect: &str) -> Remedy {
    remedy::now(command, format!("{effect} Add its output to the text."), "Reads only.")
}

fn collector(effect: &str) -> Remedy {
    remedy::now(
        "./ebusy-collector".to_owned(),
        format!("Run it as root on the host. {effect}"),
        "Reads only.",
    )
}
