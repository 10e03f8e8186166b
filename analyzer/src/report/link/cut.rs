//! What is left out of a link that would be too long: always the same parts, the least useful first, never the
//! answer, the holders that block and what to do now.

use super::{LeftOut, Part, Shared};
use crate::report::{Effect, Report, When};

/// All parts, by their numbers in a link. Fixed for version 1.
pub(super) const PARTS: [Part; 14] = [
    Part::Processes,
    Part::SideEvidence,
    Part::Errors,
    Part::Timeline,
    Part::UnrelatedHolders,
    Part::LookedAt,
    Part::MoreMounts,
    Part::HolderEvidence,
    Part::ParentMounts,
    Part::HoldingRemedies,
    Part::HoldingHolders,
    Part::Lanes,
    Part::LastingRemedies,
    Part::Warnings,
];

/// Leaves out one part after the other until what `write` makes of the rest is short enough. `write` gives `None` for
/// what is far too long.
pub(super) fn to_length(
    shared: &Shared,
    length: usize,
    write: &mut dyn FnMut(&Shared) -> Option<String>,
) -> (Option<String>, Shared) {
    let mut cut = shared.clone();
    let mut text = write(&cut);
    for (part, leave_out) in STEPS {
        if text.as_ref().is_some_and(|t| t.len() <= length) {
            break;
        }
        let count = leave_out(&mut cut.report);
        if count > 0 {
            match cut.left_out.iter_mut().find(|l| l.part == *part) {
                Some(before) => before.count = before.count.saturating_add(count),
                None => cut.left_out.push(LeftOut { part: *part, count }),
            }
        }
        // Lanes of the picture may have changed without a count of their own.
        text = write(&cut);
    }
    (text, cut)
}

/// Leaves something out and tells how many.
type Step = (Part, fn(&mut Report) -> u32);

const STEPS: &[Step] = &[
    (Part::Processes, |r| processes(r, 3)),
    (Part::SideEvidence, side_evidence),
    (Part::Errors, |r| shorten(&mut r.errors, 1)),
    (Part::UnrelatedHolders, |r| holders(r, Effect::Unrelated)),
    (Part::MoreMounts, |r| mounts(r, 2)),
    (Part::Timeline, |r| shorten(&mut r.timeline, 0)),
    (Part::HolderEvidence, holder_evidence),
    (Part::HoldingRemedies, |r| remedies(r, Effect::Holding)),
    (Part::LookedAt, looked_at),
    (Part::Processes, |r| processes(r, 0)),
    (Part::ParentMounts, parent_mounts),
    (Part::HoldingHolders, |r| holders(r, Effect::Holding)),
    (Part::MoreMounts, |r| mounts(r, 1)),
    (Part::Lanes, |r| shorten(&mut r.namespaces, 0)),
    (Part::LastingRemedies, |r| remedies(r, Effect::Blocking)),
    (Part::Warnings, |r| shorten(&mut r.warnings, 0)),
];

fn shorten<T>(list: &mut Vec<T>, to: usize) -> u32 {
    let before = list.len();
    list.truncate(to);
    count(before - list.len())
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

fn total(counts: impl Iterator<Item = u32>) -> u32 {
    counts.fold(0, u32::saturating_add)
}

/// The picture's lanes name the same processes again: they are shortened and not counted.
fn processes(report: &mut Report, keep: usize) -> u32 {
    for lane in &mut report.namespaces {
        lane.processes.truncate(keep + 1);
    }
    total(report.holders.iter_mut().map(|h| shorten(&mut h.more_processes, keep)))
}

fn side_evidence(report: &mut Report) -> u32 {
    let aliases = report.target.aliases.iter_mut().map(|a| &mut a.evidence);
    let events = report.timeline.iter_mut().map(|e| &mut e.evidence);
    total(aliases.chain(events).map(|evidence| shorten(evidence, 0)))
}

fn mounts(report: &mut Report, keep: usize) -> u32 {
    for lane in &mut report.namespaces {
        lane.mounts.truncate(keep);
    }
    let of_holders = report
        .holders
        .iter_mut()
        .map(|h| shorten(&mut h.mounts, keep) + shorten(&mut h.open_files, keep + 1));
    total(of_holders)
}

/// The lines of its mounts and files stay with those.
fn holder_evidence(report: &mut Report) -> u32 {
    let removed = report.holders.iter_mut().map(|h| {
        let before = h.evidence.len();
        let shown = |e: &_| {
            h.mounts.iter().any(|m| m.evidence == *e) || h.open_files.iter().any(|f| f.evidence == *e)
        };
        let only = h.mounts.is_empty() && h.open_files.is_empty();
        h.evidence.retain(|e| only || shown(e));
        count(before - h.evidence.len())
    });
    total(removed)
}

fn parent_mounts(report: &mut Report) -> u32 {
    total(report.namespaces.iter_mut().map(|lane| u32::from(lane.parent_mount.take().is_some())))
}

fn remedies(report: &mut Report, of: Effect) -> u32 {
    let holders = report.holders.iter_mut().filter(|h| h.effect == of);
    total(holders.map(|h| {
        let before = h.remedies.len();
        h.remedies.retain(|r| r.when == When::Now);
        count(before - h.remedies.len())
    }))
}

fn holders(report: &mut Report, of: Effect) -> u32 {
    let before = report.holders.len();
    report.holders.retain(|h| h.effect != of);
    report.namespaces.retain(|lane| lane.effect != Some(of));
    count(before - report.holders.len())
}

/// Where nothing was found, what was looked at is a part of the answer.
fn looked_at(report: &mut Report) -> u32 {
    if report.verdict.status == crate::report::Status::Held { shorten(&mut report.looked_at, 0) } else { 0 }
}
