//! Holders → the answer in one or two sentences, and what was looked at to come to it.

use super::{BusyKind, Effect, HolderKind, Status, Verdict};
use crate::Query;
use crate::holders::{Found, open_count, unread};
use crate::resolve::Target;
use crate::snapshot::Snapshot;

pub(super) fn verdict(snapshot: &Snapshot, target: &Target, found: &[Found], query: &Query) -> Verdict {
    if !target.found {
        return not_found(snapshot, target, query);
    }
    let blocking: Vec<&Found> = found.iter().filter(|h| h.effect == Effect::Blocking).collect();
    if !blocking.is_empty() {
        return Verdict { status: Status::Held, summary: held(snapshot, target, &blocking) };
    }
    // Without the kernel's release nobody knows whether a foreign mount blocks: it may well be the holder.
    let holding: Vec<&Found> = found.iter().filter(|h| h.effect == Effect::Holding && h.has_object).collect();
    if let (Some(first), None) = (holding.first(), snapshot.facts.drops_foreign_mounts()) {
        return Verdict {
            status: Status::Unknown,
            summary: format!(
                "{} has {} mounted{}; whether that blocks depends on the kernel, whose release (`uname -r`) is not told.",
                first.name(snapshot),
                object(snapshot, target),
                match holding.len() - 1 {
                    0 => String::new(),
                    1 => ", and so has one more holder".to_owned(),
                    n => format!(", and so have {n} more holders"),
                }
            ),
        };
    }
    match doubts(snapshot, target, found) {
        Some(doubt) => {
            let object = object(snapshot, target);
            // What holds without blocking is listed below; the sentence must not deny it.
            let summary = if holding.is_empty() {
                format!("Nothing that was read holds {object}, but that is not the whole picture: {doubt}")
            } else {
                format!(
                    "Nothing that was read blocks {object}, but that is not the whole picture: {doubt}{}",
                    copies(snapshot, &holding)
                )
            };
            Verdict { status: Status::Unknown, summary }
        }
        None => Verdict { status: Status::Free, summary: free(snapshot, target, found) },
    }
}

fn not_found(snapshot: &Snapshot, target: &Target, query: &Query) -> Verdict {
    // A log that was read and has no busy error is an answer; everything else is a question that found nothing.
    // Of a bundle that breaks off, the end of the log may be missing.
    let is_whole = snapshot.facts.complete || snapshot.facts.is_paste();
    let quiet = *query == Query::Default && snapshot.log_lines > 0 && is_whole;
    let summary = match query {
        Query::Text(_) if !target.candidates.is_empty() => format!(
            "{} containers go by \"{}\": name one of them: {}.",
            target.candidates.len(),
            target.query,
            target
                .candidates
                .iter()
                .take(8)
                .map(|c| super::super::resolve::short(c))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        Query::Text(_) if !is_whole => {
            format!("Nothing in the part of this bundle that could be read goes by \"{}\".", target.query)
        }
        Query::Text(_) => match snapshot.facts.refused() {
            Some(why) => {
                format!("Nothing in the part of the host that could be read goes by \"{}\": {why}.", target.query)
            }
            None => format!("Nothing in this bundle goes by \"{}\".", target.query),
        },
        Query::Error(_) => "The bundle has no such error.".to_owned(),
        Query::Default if snapshot.log_lines == 0 && !is_whole => {
            "The part of this bundle that could be read has no log to take a busy error from: name the container, path or device.".to_owned()
        }
        Query::Default if snapshot.log_lines == 0 => {
            "The bundle has no log to take a busy error from: name the container, path or device.".to_owned()
        }
        Query::Default if !is_whole => format!(
            "In the part of this bundle that could be read the log ({} lines) has no busy error. Name a container, path or device to look at it all the same.",
            snapshot.log_lines
        ),
        Query::Default => format!(
            "The log of this bundle ({} lines) has no busy error, so there is nothing to free. Name a container, path or device to look at it all the same.",
            snapshot.log_lines
        ),
    };
    Verdict { status: if quiet { Status::Free } else { Status::Unknown }, summary }
}

fn held(snapshot: &Snapshot, target: &Target, blocking: &[&Found]) -> String {
    let object = object(snapshot, target);
    let [first, rest @ ..] = blocking else { return String::new() };
    let name = first.name(snapshot);
    let others = match rest {
        [] => String::new(),
        [one] => format!(" So does {}.", inside_sentence(&one.name(snapshot))),
        [one, more @ ..] => {
            format!(" So do {} and {} more.", inside_sentence(&one.name(snapshot)), more.len())
        }
    };
    let namespace = first.namespace.and_then(|k| snapshot.namespaces.get(&k)?.inode());
    let place = match (first.kind, namespace) {
        (HolderKind::OpenFile, _) => "through open files".to_owned(),
        (HolderKind::Device, _) => "as a device on top of it".to_owned(),
        (HolderKind::Pinned, _) => {
            let inode = match first.namespace {
                Some(crate::snapshot::NamespaceKey::Inode(inode)) => inode.0.to_string(),
                _ => "unknown".to_owned(),
            };
            format!("in mount namespace {inode}, which no process is in")
        }
        (HolderKind::Host | HolderKind::Daemon, _) if first.is_daemons => {
            if snapshot.daemon().is_some() {
                "in the namespace of the runtime itself".to_owned()
            } else {
                "itself".to_owned()
            }
        }
        (HolderKind::Container, _) if first.is_target => {
            return format!("{name} itself is still alive and uses {object}.{others}");
        }
        (_, Some(inode)) => format!("in mount namespace {inode}"),
        (_, None) => "in a mount namespace of its own".to_owned(),
    };
    format!("{name} holds {object} {place}.{others}")
}

/// A holder's name where it does not begin the sentence. Names of processes and units keep their case.
fn inside_sentence(name: &str) -> String {
    for (begin, within) in [("Container ", "container "), ("A mount ", "a mount "), ("The ", "the ")] {
        if let Some(rest) = name.strip_prefix(begin) {
            return format!("{within}{rest}");
        }
    }
    name.to_owned()
}

/// The busy object in words.
fn object(snapshot: &Snapshot, target: &Target) -> String {
    let label = target.label();
    match target.busy {
        BusyKind::Device => {
            let device = target.devices.iter().find(|d| !d.is_anonymous());
            match device {
                Some(number) if target.container.is_some() => format!("the device of {label} ({number})"),
                Some(number) => {
                    let name = snapshot.device_path(*number).map(|p| crate::bytes::visible(&p));
                    format!("device {}", name.unwrap_or_else(|| number.to_string()))
                }
                None => format!("the device of {label}"),
            }
        }
        BusyKind::Dataset => format!("the dataset of {label}"),
        BusyKind::Cgroup => format!("the cgroup of {label}"),
        BusyKind::NamespaceFile => format!("the namespace file {label}"),
        _ if target.container.is_some() => format!("the file system of {label}"),
        _ => label,
    }
}

/// Why "nothing found" is not yet "free".
fn doubts(snapshot: &Snapshot, target: &Target, found: &[Found]) -> Option<String> {
    if !target.knows_object() && target.ids.is_empty() && target.busy != BusyKind::Cgroup {
        return Some(
            "the error names no container, path or device. Name what you could not remove.".to_owned(),
        );
    }
    if snapshot.tables.is_empty() && target.busy != BusyKind::Cgroup {
        let input = if snapshot.facts.is_paste() { "text" } else { "bundle" };
        return Some(format!("the {input} has no mount table at all."));
    }
    if snapshot.facts.is_paste() {
        return Some("a text shows a part of the host only.".to_owned());
    }
    if !snapshot.facts.complete {
        return Some("the bundle is not complete.".to_owned());
    }
    if let Some(why) = snapshot.facts.refused() {
        return Some(match snapshot.facts.privileged {
            Some(false) => format!("{why}. Run the collector as root."),
            _ => format!("{why}, so a holder among them would not be seen."),
        });
    }
    // Whoever was seen to have it open explains the count, even where that does not block.
    let explained = found.iter().any(|h| h.has_object);
    if !explained && let Some(count) = open_count(snapshot, target).filter(|n| *n > 0) {
        return Some(format!(
            "the kernel counts the device as open {count} times. Something has it open that the bundle does not show."
        ));
    }
    let unread = unread(snapshot);
    if let Some(inode) = unread.keys().next()
        && target.error.is_some()
    {
        return Some(format!(
            "{} mount namespace(s) without a process ({} …) are kept alive and could not be looked into.",
            unread.len(),
            inode.0
        ));
    }
    if let Some(doubt) = tables_missing(snapshot, target) {
        return Some(doubt);
    }
    if snapshot.facts.kernel.is_none() && found.iter().any(|h| h.has_object) {
        return Some(
            "the bundle does not tell the kernel, which decides whether other namespaces' mounts block."
                .to_owned(),
        );
    }
    if matches!(target.busy, BusyKind::Dataset | BusyKind::OverlayMount)
        && let Some(who) = open_nowhere(snapshot)
    {
        return Some(format!(
            "{who} on a file system that is mounted nowhere any more (a lazy umount), and nothing tells which that is. It may be this one."
        ));
    }
    // Where a list of devices has the pool and not this one, it is gone.
    let lists_mapped = || snapshot.devices.values().any(|d| d.dm_name.is_some());
    if target.busy == BusyKind::Device && target.devices.is_empty() && !lists_mapped() {
        return Some("the bundle has no list of block devices, and nothing else tells the device's number: an open file on it would not be recognised.".to_owned());
    }
    let device = matches!(target.busy, BusyKind::Device | BusyKind::Dataset | BusyKind::Umount)
        && !target.devices.is_empty();
    let mut links = snapshot.processes.values().flat_map(|p| &p.links);
    if device && target.error.is_some() && links.all(|link| link.device.is_none()) {
        return Some("the bundle has no device numbers of open files, so a process that has a file open there would not be seen.".to_owned());
    }
    None
}

/// Living processes whose mount namespace no table shows, where a foreign mount can block.
fn tables_missing(snapshot: &Snapshot, target: &Target) -> Option<String> {
    let only_its_own = match target.busy {
        BusyKind::Cgroup => true,
        BusyKind::Directory | BusyKind::NamespaceFile => snapshot.facts.drops_foreign_mounts() == Some(true),
        _ => false,
    };
    if only_its_own {
        return None;
    }
    let unseen = snapshot.unseen_processes();
    (unseen > 0).then(|| {
        format!(
            "of {unseen} of {} processes the bundle has no mount table, nor one of another process in the same mount namespace.",
            snapshot.processes.len()
        )
    })
}

/// A process with a file open on a mount that no table shows and that has no device of its own: after a lazy umount a
/// dataset's or an overlay's number leads nowhere.
fn open_nowhere(snapshot: &Snapshot) -> Option<String> {
    // What is not a file system that somebody mounted: memory and descriptors of the kernel's own mounts.
    const INTERNAL: [&[u8]; 7] =
        [b"/memfd:", b"/SYSV", b"/dev/", b"/anon_hugepage", b"/[aio]", b"/i915", b"/drm"];
    let mut known: std::collections::BTreeSet<_> = std::collections::BTreeSet::new();
    let mut read = false;
    for process in snapshot.processes.values().filter(|p| !p.links.is_empty()) {
        for link in &process.links {
            let path = link.path.as_ref().or_else(|| process.link_texts.get(&link.name));
            let (Some(mount), Some(device), Some(path)) = (link.mount, link.device, path) else { continue };
            if !device.is_anonymous()
                || !path.starts_with(b"/")
                || INTERNAL.iter().any(|i| path.starts_with(i))
            {
                continue;
            }
            if !std::mem::replace(&mut read, true) {
                known = snapshot.tables.iter().flat_map(|t| t.mounts()).map(|(_, m)| m.id).collect();
            }
            if !known.contains(&mount) {
                return Some(format!("{} has {} open", process.name(), crate::bytes::visible(path)));
            }
        }
    }
    None
}

fn free(snapshot: &Snapshot, target: &Target, found: &[Found]) -> String {
    let object = object(snapshot, target);
    let kernel = match snapshot.facts.kernel.as_deref() {
        Some(kernel) => format!(" on kernel {kernel}"),
        None => String::new(),
    };
    let holding: Vec<&Found> = found.iter().filter(|h| h.effect == Effect::Holding && h.has_object).collect();
    let tail = copies(snapshot, &holding);
    let last = target.error.and_then(|i| snapshot.errors.get(i)?.last.clone());
    let error = match last {
        Some(last) if holding.is_empty() => {
            format!(" The last error was at {last}: what held it is gone since, so try again.")
        }
        None if target.error.is_some() && holding.is_empty() => {
            " What held it when the error was logged is gone: try again.".to_owned()
        }
        _ => String::new(),
    };
    format!("Nothing blocks {object}{kernel}.{tail}{error}")
}

/// Who holds without blocking, as a sentence to go on with.
fn copies(snapshot: &Snapshot, holding: &[&Found]) -> String {
    let mut foreign = holding.iter().filter(|h| !h.is_daemons);
    match (holding, foreign.next(), foreign.count()) {
        ([], ..) => String::new(),
        ([one, ..], None, _) => format!(" {}", one.effect_reason),
        (_, Some(first), 0) => format!(
            " {} still has a copy of its mount, which keeps space but does not block.",
            first.name(snapshot)
        ),
        (_, Some(first), more) => format!(
            " {} and {more} more still have a copy of its mount, which keeps space but does not block.",
            first.name(snapshot)
        ),
    }
}

/// What was looked at, for answers that rest on not having found anything.
pub(super) fn looked_at(snapshot: &Snapshot, target: &Target) -> Vec<String> {
    let mut sentences = vec![format!(
        "{} mount tables of {} mount namespaces, {} processes.",
        snapshot.tables.len(),
        snapshot.namespaces.len(),
        snapshot.processes.len()
    )];
    sentences.extend(snapshot.facts.part_only());
    let without_process = snapshot.namespaces.values().filter(|n| n.pids.is_empty()).count();
    let unread = unread(snapshot).len();
    if without_process + unread > 0 {
        sentences.push(format!(
            "{without_process} mount namespaces without a process were read, {unread} could not be."
        ));
    }
    let with_links = snapshot.processes.values().filter(|p| !p.links.is_empty()).count();
    let texts = snapshot.processes.values().filter(|p| !p.link_texts.is_empty()).count();
    sentences.push(match (with_links, texts) {
        (0, 0) => "No open files: the bundle has none of /proc/PID/{cwd,root,exe,fd}.".to_owned(),
        (0, n) => format!("Open files of {n} processes by their paths only: the bundle has no device numbers behind the links."),
        (n, _) => format!("Open files, working directories and executables of {n} processes by device number."),
    });
    if snapshot.devices.is_empty() {
        sentences.push("No block devices: the bundle has no /sys/block.".to_owned());
    } else {
        sentences.push(format!(
            "{} block devices with what is stacked on them, {} swap areas.",
            snapshot.devices.len(),
            snapshot.swaps.len()
        ));
    }
    if let Some(count) = open_count(snapshot, target) {
        sentences.push(format!("The kernel's open count of the device: {count}."));
    }
    sentences.push(match snapshot.log_lines {
        0 => "No log.".to_owned(),
        n => format!("{n} lines of logs, with {} different busy errors.", snapshot.errors.len()),
    });
    sentences
}
