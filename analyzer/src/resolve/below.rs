//! A directory above mount points: nobody is mounted on `/var/lib/docker/devicemapper/mnt` itself, and yet it
//! cannot be removed, because something is mounted below it.

use std::collections::BTreeMap;

use super::Target;
use super::storage::is_path_of;
use crate::bytes::{is_at_or_below, same_path, visible};
use crate::report::{AliasKind, BusyKind, Diagnostic, Evidence};
use crate::snapshot::Snapshot;

/// So many mount points are looked at: more would be the whole host.
const MOST: usize = 500;
/// So many are named in the sentence.
const NAMED: usize = 8;

/// Takes the mounts below a directory for the target, where nothing is mounted on the directory itself. Of these
/// the ones that an error names, where there are any; true where something is mounted below.
pub(super) fn add(snapshot: &Snapshot, target: &mut Target) -> bool {
    let is_directory = matches!(target.busy, BusyKind::Directory | BusyKind::Umount | BusyKind::Unknown);
    let [directory] = &target.paths.iter().cloned().collect::<Vec<_>>()[..] else { return false };
    if !is_directory || !target.devices.is_empty() || directory.len() < 2 {
        return false;
    }
    let Some(mut below) = mounts_below(snapshot, directory) else { return false };
    let count = below.len();
    let failed = |point: &[u8]| {
        let paths = snapshot.errors.iter().flat_map(|e| e.all()).filter_map(|e| e.path.as_deref());
        paths.map(str::as_bytes).any(|p| same_path(p, point))
    };
    if below.keys().any(|point| failed(point)) {
        below.retain(|point, _| failed(point));
        target.paths.clear();
    }
    let names: Vec<String> = below.keys().take(NAMED).map(|p| visible(p)).collect();
    let more = below.len().saturating_sub(NAMED);
    target.notes.push(Diagnostic {
        code: "mounts-below".into(),
        file: below.values().next().map(|e| e.file.clone()),
        line: below.values().next().and_then(|e| e.line),
        message: format!(
            "Nothing is mounted on {} itself, but {} below it; looked at {}{}.",
            visible(directory),
            if count == 1 { "one file system is".to_owned() } else { format!("{count} file systems are") },
            names.join(", "),
            if more > 0 { format!(" and {more} more") } else { String::new() },
        ),
        advice: "Ask for one of them alone where only that one is meant.".into(),
    });
    for (point, evidence) in below.into_iter().take(MOST) {
        target.alias(visible(&point), AliasKind::Path, Some(evidence));
        target.paths.insert(point);
    }
    true
}

/// Mount points below a directory in any table; `None` where there are none, or something is mounted on it.
fn mounts_below(snapshot: &Snapshot, directory: &[u8]) -> Option<BTreeMap<Vec<u8>, Evidence>> {
    let mut below = BTreeMap::new();
    // Escaped paths are found by what stands before the first escape.
    let plain =
        directory.split(|b| matches!(b, b' ' | b'\t' | b'\n' | b'\\' | b'#')).next().unwrap_or_default();
    for placed in snapshot.mounts_that_mention(plain) {
        let point = placed.mount.mount_point();
        if is_path_of(&point, directory) {
            return None;
        }
        if is_at_or_below(&point, directory) {
            below.entry(point.into_owned()).or_insert_with(|| placed.evidence());
        }
    }
    (!below.is_empty()).then_some(below)
}
