//! Commands that unmount copies: in the right namespace, through a root from which the mount can be seen, in an order
//! that works. A path leads to the uppermost mount only, and no command unmounts by a mount's id.

use std::collections::BTreeSet;

use super::{Case, remedy};
use crate::bytes::{components, same_path, shell_quote};
use crate::order;
use crate::report::{BusyKind, HolderKind, MountView, Remedy};
use crate::snapshot::{MountId, NamespaceKey, Pid, Process};

/// So many mounts are unmounted by one remedy.
pub(super) const MOST: usize = 20;

/// What frees a holder whose cause is not known.
pub(super) fn for_any_holder(case: &Case<'_>) -> Vec<Remedy> {
    [remove_mount_point(case), inside(case), remedy::restart(case)].into_iter().flatten().collect()
}

/// Where the runtime itself has it, the mounts above others first.
pub(super) fn here(case: &Case<'_>) -> Option<Remedy> {
    let key = case.holder.namespace?;
    let host = case.snapshot.host_namespace().map(|n| n.key);
    let prefix = match case.snapshot.daemon() {
        Some((pid, _)) if case.holder.is_daemons && Some(key) != host => {
            format!("nsenter -t {} -m -- ", pid.0)
        }
        _ => String::new(),
    };
    // What goes along with another one is not there any more when its turn comes.
    let own: Vec<&MountView> = case.holder.mounts.iter().filter(|m| m.follows != Some(true)).collect();
    let found = commands(case, key, None, &own, &prefix)?;
    let covered = found
        .covered
        .map(|cover| format!(" First {cover}, which covers it, is unmounted."))
        .unwrap_or_default();
    Some(remedy::now(
        found.lines.join("\n"),
        format!("Unmounts it where the runtime expects it to be unmounted.{covered}"),
        "Fails with \"target is busy\" while files on it are open: then free those first. Do not use `umount -l`, which hides the holder.",
    ))
}

/// Inside the holder's namespace.
pub(super) fn inside(case: &Case<'_>) -> Option<Remedy> {
    let key = case.holder.namespace?;
    let wanted = object_mounts(case);
    let first = *case.holder.pids.first()?;
    // Another process may have a root from which the mount is not covered; most have the same, and show the same table.
    let mut tables = BTreeSet::new();
    let is_new = |pid: &Pid| tables.insert(case.snapshot.processes.get(pid).and_then(|p| p.table));
    let sees_all = |pid: &Pid| {
        wanted.iter().take(MOST).all(|m| covering(case, key, Some(*pid), m).is_none_or(|c| c.is_empty()))
    };
    let pid = case.holder.pids.iter().copied().filter(is_new).find(sees_all).unwrap_or(first);
    let root_link = case.snapshot.processes.get(&pid).and_then(|p| p.root.as_deref()).unwrap_or(b"/");
    let root = if same_path(root_link, b"/") { "" } else { " -r" };
    let prefix = format!("nsenter -t {} -m{root} -- ", pid.0);
    let found = commands(case, key, Some(pid), &wanted, &prefix)?;
    let mut risk = "They lose sight of the container's files. In a container's namespace it needs `umount` in the image.".to_owned();
    let mut effect = "Unmounts the copy in that namespace only; its processes go on.".to_owned();
    if let Some(cover) = found.covered {
        effect = format!(
            "A later mount, {cover}, covers the copy there, and umount reaches the uppermost only: this takes the cover off first, then the copy."
        );
        risk = format!(
            "Its processes lose what they have at {cover}; \"target is busy\" where they use it. Where that must not be, restart them instead. {risk}"
        );
    }
    Some(remedy::now(found.lines.join("\n"), effect, risk))
}

/// Inside a namespace that no process is in, entered by what keeps it: `--mount=FILE`. `through` is a process in whose
/// namespace that file is.
pub(super) fn inside_pinned(case: &Case<'_>, enter: &str, through: Option<Pid>) -> Option<Remedy> {
    let key = case.holder.namespace?;
    let wanted = object_mounts(case);
    let outer = through.map(|pid| format!("nsenter -t {} -m -- ", pid.0)).unwrap_or_default();
    let found = commands(case, key, None, &wanted, &format!("{outer}nsenter {enter} -- "))?;
    found.covered.is_none().then(|| {
        remedy::now(
            found.lines.join("\n"),
            "Unmounts the copy in that namespace only; the namespace stays.",
            "Whoever uses that namespace later does not see the container's files in it.",
        )
    })
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
    // Every copy must be on that very directory, which must be the container's own.
    let key = case.holder.namespace?;
    let mut path: Option<Vec<u8>> = None;
    for mount in object_mounts(case) {
        let (_, _, below) = case.snapshot.parent_of(key, MountId(mount.id))?;
        let at = case.snapshot.path_in(host, &below, mount.mount_point.as_bytes())?;
        if path.is_some_and(|known| known != at) {
            return None;
        }
        path = Some(at);
    }
    let is_own = |path: &Vec<u8>| {
        case.target.paths.iter().any(|p| same_path(p, path))
            || components(path).any(|c| case.target.id_in(c).is_some())
    };
    let path = path.filter(is_own)?;
    Some(remedy::now(
        format!("rmdir {}", shell_quote(&path)),
        "Removes the empty mount point; this kernel then drops the copies of the mount in all other namespaces at once, and the device is free.",
        "None for the processes. It fails harmlessly where something is still mounted there or files are in the directory.",
    ))
}

/// The holder's mounts of the busy object itself; other mounts of the same container need not go.
fn object_mounts<'c>(case: &'c Case<'_>) -> Vec<&'c MountView> {
    let of_device = |m: &&MountView| case.target.devices.iter().any(|d| d.to_string() == m.device);
    let any = case.holder.mounts.iter().any(|m| of_device(&m));
    case.holder.mounts.iter().filter(|m| !any || of_device(m)).collect()
}

struct Commands {
    lines: Vec<String>,
    /// Something that covers one of them.
    covered: Option<String>,
}

fn commands(
    case: &Case<'_>,
    key: NamespaceKey,
    pid: Option<Pid>,
    mounts: &[&MountView],
    prefix: &str,
) -> Option<Commands> {
    let mut mounts: Vec<&&MountView> =
        mounts.iter().filter(|m| m.mount_point != "/" && !m.mount_point.contains("\\x")).collect();
    // Mounts above others go first.
    order::sort_by_key(&mut mounts, |m| (std::cmp::Reverse(m.mount_point.len()), std::cmp::Reverse(m.id)));
    let (mut points, mut covered): (Vec<(MountId, String)>, Option<String>) = (Vec::new(), None);
    for mount in &mounts {
        if points.len() >= MOST {
            break;
        }
        for (id, cover) in covering(case, key, pid, mount).into_iter().flatten() {
            // Nobody is told to unmount the root or what the whole system runs on.
            if matches!(cover.as_str(), "/" | "/usr" | "/proc" | "/sys" | "/dev" | "/run") {
                return None;
            }
            if points.iter().all(|(known, _)| *known != id) {
                // One that goes anyway covers nothing that matters.
                if mounts.iter().all(|m| m.id != id.0) {
                    covered.get_or_insert_with(|| cover.clone());
                }
                points.push((id, cover));
            }
        }
        if points.iter().all(|(known, _)| known.0 != mount.id) {
            points.push((MountId(mount.id), mount.mount_point.clone()));
        }
    }
    points.truncate(MOST);
    let lines: Vec<String> =
        points.iter().map(|(_, p)| format!("{prefix}umount {}", shell_quote(p.as_bytes()))).collect();
    (!lines.is_empty()).then_some(Commands { lines, covered })
}

/// The mounts that cover a mount, in the order in which they have to go; empty where its path leads to it.
/// `None` where the bundle does not tell.
fn covering(
    case: &Case<'_>,
    key: NamespaceKey,
    pid: Option<Pid>,
    mount: &MountView,
) -> Option<Vec<(MountId, String)>> {
    let of_process = pid.and_then(|pid| case.snapshot.processes.get(&pid)).and_then(|p: &Process| p.table);
    let namespace = case.snapshot.namespaces.get(&key)?;
    let table = of_process.or(namespace.tables.first().copied()).and_then(|t| case.snapshot.table(t))?;
    let (_, wanted) = table.mount_with(MountId(mount.id))?;
    let point = wanted.mount_point();
    let mut covers = Vec::new();
    let mut gone: Vec<MountId> = Vec::new();
    // Each round takes the uppermost off.
    loop {
        let (_, top) = table.lookup_without(&point, &gone)?;
        if top.id == wanted.id {
            return Some(covers);
        }
        // The path leads to something that is below the wanted one: it is not in this root's sight.
        if table.mounts().any(|(_, m)| m.id == wanted.parent && m.id == top.id) || covers.len() > 8 {
            return None;
        }
        gone.push(top.id);
        covers.push((top.id, crate::bytes::visible(&top.mount_point())));
    }
}
