//! One host's line: the report about its latest busy error, and its census.

use crate::order;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};

use super::who::{Known, name};
use super::{HolderLine, HostLine, LINE_SCHEMA};
use crate::Query;
use crate::census::{self, Inventory};
use crate::report::{self, Cause, Effect, Report};
use crate::snapshot::Snapshot;

/// A mount, told from every other of the host: its namespace and its id there.
type MountKey = (Option<u64>, u32);

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
    let inventory = census::take_inventory(snapshot);
    let errors = report::overview(snapshot).errors.len();
    let target = report.target.found.then(|| crate::diff::label_of(&report.target));
    HostLine {
        schema: LINE_SCHEMA.to_owned(),
        source: source.to_owned(),
        booted_at: snapshot.facts.boot_time.map(crate::calendar::rfc3339),
        status: Some(report.verdict.status),
        target,
        errors: u32::try_from(errors).unwrap_or(u32::MAX),
        holders: holders(&report, &inventory),
        leftovers: inventory.total(),
        will_block: inventory.blocking(),
        pinned_bytes: inventory.pinned_bytes(),
        complete: report.bundle.complete,
        privileged: report.bundle.privileged,
        host: report.host,
        summary: report.verdict.summary,
        failure: None,
    }
}

fn holders(report: &Report, inventory: &Inventory<'_>) -> Vec<HolderLine> {
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
        kept.mounts.extend(holder.mounts.iter().map(|mount| (holder.mount_namespace, mount.id)));
        kept.files.extend(holder.open_files.iter().map(|file| (file.pid, file.reference.clone())));
        kept.cause = kept.cause.take().or_else(|| holder.cause.clone());
    }
    for group in &inventory.groups {
        let holder = inventory.holder(group);
        let kept = all
            .entry(name(&Known {
                kind: holder.kind,
                unit: holder.unit.as_deref(),
                container: holder.container.as_ref(),
                process: holder.process.as_ref(),
            }))
            .or_default();
        kept.blocks |= holder.blocking > 0;
        for finding in &group.findings {
            kept.mounts.extend(inventory.survey.place(finding));
            let files = inventory.survey.open_files(finding);
            kept.files.extend(files.iter().map(|file| (file.pid, file.reference.clone())));
        }
    }
    let mut all: Vec<(String, Kept)> = all.into_iter().collect();
    order::sort_by_key(&mut all, |(who, kept)| {
        (!kept.blocks, kept.place.is_none(), kept.place, Reverse(kept.mounts.len()), who.clone())
    });
    all.into_iter().map(|(who, kept)| kept.line(who)).collect()
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
