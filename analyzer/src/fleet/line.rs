//! One host's line: the report about its latest busy error, and its census.

use crate::order;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::who::{Known, name};
use super::{HolderLine, HostLine, LINE_SCHEMA};
use crate::Query;
use crate::census::{self, Census};
use crate::report::{self, Cause, Effect, MountView, Report};
use crate::snapshot::Snapshot;

/// A mount, told from every other of the host.
type MountKey = (Option<u64>, u32, String);

/// A holder in the making. Report and census see the same mounts: each counts once.
#[derive(Default)]
struct Kept {
    blocks: bool,
    /// Where the report names it; the verdict is about the first.
    place: Option<usize>,
    mounts: BTreeSet<MountKey>,
    files: BTreeSet<(u32, String)>,
    cause: Option<Cause>,
}

/// The line of one host.
pub(crate) fn of_snapshot(snapshot: &Snapshot, source: &str) -> HostLine {
    let report = report::build(snapshot, &Query::Default);
    let census = census::take(snapshot);
    let errors = report::overview(snapshot).errors.len();
    let target = report.target.found.then(|| crate::diff::label_of(&report.target));
    let leftovers: usize = census.groups.iter().map(|group| group.leftovers.len()).sum();
    HostLine {
        schema: LINE_SCHEMA.to_owned(),
        source: source.to_owned(),
        booted_at: census.booted_at.clone(),
        status: Some(report.verdict.status),
        target,
        errors: u32::try_from(errors).unwrap_or(u32::MAX),
        holders: holders(&report, &census),
        leftovers: u32::try_from(leftovers).unwrap_or(u32::MAX),
        will_block: census.groups.iter().map(|group| group.blocking).sum(),
        pinned_bytes: census.groups.iter().filter_map(|group| group.pinned_bytes).reduce(|a, b| a + b),
        complete: report.bundle.complete,
        privileged: report.bundle.privileged,
        host: report.host,
        summary: report.verdict.summary,
        failure: None,
    }
}

fn holders(report: &Report, census: &Census) -> Vec<HolderLine> {
    let mut all: BTreeMap<String, Kept> = BTreeMap::new();
    for (place, holder) in report.holders.iter().enumerate() {
        if holder.effect == Effect::Unrelated {
            continue;
        }
        let kept = all
            .entry(name(&Known {
                kind: holder.kind,
                unit: holder.unit.as_deref(),
                container: holder.container.as_ref(),
                process: holder.process.as_ref(),
            }))
            .or_default();
        kept.place.get_or_insert(place);
        kept.blocks |= holder.effect == Effect::Blocking;
        kept.mounts.extend(holder.mounts.iter().map(|mount| key(holder.mount_namespace, mount)));
        kept.files.extend(holder.open_files.iter().map(|file| (file.pid, file.reference.clone())));
        kept.cause = kept.cause.take().or_else(|| holder.cause.clone());
    }
    for group in &census.groups {
        let kept = all
            .entry(name(&Known {
                kind: group.kind,
                unit: group.unit.as_deref(),
                container: group.container.as_ref(),
                process: group.process.as_ref(),
            }))
            .or_default();
        kept.blocks |= group.blocking > 0;
        for leftover in &group.leftovers {
            kept.mounts.extend(leftover.mount.iter().map(|mount| key(leftover.mount_namespace, mount)));
            kept.files.extend(leftover.open_files.iter().map(|file| (file.pid, file.reference.clone())));
        }
    }
    let mut all: Vec<(String, Kept)> = all.into_iter().collect();
    order::sort_by_key(&mut all, |(who, kept)| {
        (!kept.blocks, kept.place.is_none(), kept.place, Reverse(kept.mounts.len()), who.clone())
    });
    all.into_iter().map(|(who, kept)| kept.line(who)).collect()
}

fn key(namespace: Option<u64>, mount: &MountView) -> MountKey {
    (namespace, mount.id, mount.mount_point.clone())
}

impl Kept {
    fn line(self, who: String) -> HolderLine {
        let number = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        HolderLine {
            who,
            effect: if self.blocks { Effect::Blocking } else { Effect::Holding },
            mounts: number(self.mounts.len()),
            open_files: number(self.files.len()),
            cause: self.cause,
        }
    }
}
