//! Two reports or two censuses of one host → what is gone, what is new, what is still there. What is there
//! at both times is a leak; what is gone by itself was a race.
//!
//! Things are matched by what they are (namespace, unit or container, start of their processes), never by their
//! place in a list. A pid alone says nothing: the kernel gives it away again, and so it does with the inode numbers
//! of namespaces; only together with the start of a process they stand for the same thing.

mod bundles;
mod census;
mod holders;
pub mod markdown;
mod question;
pub mod text;

use serde::{Deserialize, Serialize};

use crate::report::{BundleInfo, Diagnostic, Effect, Evidence, HolderKind, Host, Report, Status};
use crate::{Analysis, Snapshot};

pub use census::{CensusChanges, LeftoverChange};
pub use question::{Compared, compare};

/// Name and version of the comparison's shape.
pub const SCHEMA: &str = "ebusy.diff/1";

/// What changed between two bundles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Diff {
    /// Always [`SCHEMA`].
    pub schema: String,
    /// The earlier bundle, as given first.
    pub a: Side,
    /// The later one.
    pub b: Side,
    /// What to call the target; `None` where two whole hosts were compared.
    pub target: Option<String>,
    /// The answer: leak or race.
    pub summary: String,
    /// Holders that only the first bundle has.
    pub gone: Vec<HolderChange>,
    /// Holders that only the second bundle has.
    pub new: Vec<HolderChange>,
    /// Holders that both have.
    pub still: Vec<HolderChange>,
    /// The same for everything that is left over on the host.
    pub census: Option<CensusChanges>,
    /// Why the two may not be comparable.
    pub warnings: Vec<Diagnostic>,
}

/// One of the two bundles.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Side {
    /// Its host.
    pub host: Host,
    /// How complete it is.
    pub bundle: BundleInfo,
    /// The verdict about the target; `None` where no target was asked for or it is not in this bundle.
    pub status: Option<Status>,
    /// When the host was booted, RFC 3339 UTC, where known.
    pub booted_at: Option<String>,
}

/// A holder in one or both bundles.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct HolderChange {
    /// Short name: `httpd.service`, `container cadvisor`, `top (622)`.
    pub label: String,
    /// What kind of holder.
    pub kind: HolderKind,
    /// Effect in the first bundle.
    pub before: Option<Effect>,
    /// Effect in the second bundle.
    pub after: Option<Effect>,
    /// Inode number of its mount namespace.
    pub mount_namespace: Option<u64>,
    /// systemd unit.
    pub unit: Option<String>,
    /// Container id.
    pub container: Option<String>,
    /// The process that it was told by, where it has any.
    pub pid: Option<u32>,
    /// When that process started.
    pub started_at: Option<String>,
    /// What tells it from, or links it with, a holder of the other bundle; may be empty.
    pub note: String,
    /// Where it was read, in the latest bundle that has it.
    pub evidence: Vec<Evidence>,
}

/// Compares what two bundles say about one target.
/// ```
/// use ebusy_analyzer::{Analysis, Query, diff};
/// use std::ops::ControlFlow;
///
/// let error = "umount: /mnt/data: target is busy.\n";
/// let line = "/proc/4241/mountinfo:245 201 253:3 / /mnt/data rw - ext4 /dev/mapper/vg0-data rw\n";
/// let report = |text: &str| {
///     let analysis = Analysis::open(text.as_bytes(), &mut |_| ControlFlow::Continue(())).unwrap();
///     analysis.explain(&Query::Text("/mnt/data".to_owned()))
/// };
/// let (before, after) = (report(&format!("{error}{line}")), report(error));
/// let diff = diff::of_reports(&before, &after);
/// assert!(diff.new.is_empty() && diff.still.is_empty());
/// println!("{}", diff.summary);
/// ```
pub fn of_reports(a: &Report, b: &Report) -> Diff {
    of_sides((a, b), (bundles::of_report(a), bundles::of_report(b)))
}

fn of_sides((a, b): (&Report, &Report), sides: (Side, Side)) -> Diff {
    let restarted = bundles::restarted(&sides.0, &sides.1);
    let changes = holders::compare(a, b, restarted);
    let target = [&b.target, &a.target].into_iter().find(|t| t.found).map(label_of);
    let warnings = bundles::warnings(&sides.0, &sides.1);
    Diff {
        schema: SCHEMA.to_owned(),
        summary: holders::summary(&changes, a, b, target.as_deref(), restarted) + bundles::caution(&sides),
        a: sides.0,
        b: sides.1,
        target,
        gone: changes.gone,
        new: changes.new,
        still: changes.still,
        census: None,
        warnings,
    }
}

/// Compares what is left over on a host at two times.
pub fn of_censuses(a: &Analysis, b: &Analysis) -> Diff {
    let (a, b) = (a.snapshot(), b.snapshot());
    let sides = (bundles::of_snapshot(a), bundles::of_snapshot(b));
    let changes = changed(a, b, &sides);
    let warnings = bundles::warnings(&sides.0, &sides.1);
    Diff {
        schema: SCHEMA.to_owned(),
        summary: census::summary(&changes, sides.1.bundle.complete) + bundles::caution(&sides),
        a: sides.0,
        b: sides.1,
        target: None,
        gone: Vec::new(),
        new: Vec::new(),
        still: Vec::new(),
        census: Some(changes),
        warnings,
    }
}

/// Compares the target of two reports and, beside it, the whole host that each is about.
pub fn of_both(reports: (&Report, &Report), hosts: (&Analysis, &Analysis)) -> Diff {
    let (a, b) = (hosts.0.snapshot(), hosts.1.snapshot());
    // A report without a target has no timeline to take the boot from.
    let mut sides = (bundles::of_report(reports.0), bundles::of_report(reports.1));
    sides.0.booted_at = bundles::booted_at(a);
    sides.1.booted_at = bundles::booted_at(b);
    let changes = changed(a, b, &sides);
    let mut diff = of_sides(reports, sides);
    diff.census = Some(changes);
    diff
}

fn changed(a: &Snapshot, b: &Snapshot, sides: &(Side, Side)) -> CensusChanges {
    let restarted = bundles::restarted(&sides.0, &sides.1);
    census::compare(&crate::census::take_inventory(a), &crate::census::take_inventory(b), restarted)
}

pub(crate) fn label_of(target: &crate::report::Target) -> String {
    match (&target.name, &target.container_id) {
        (Some(name), Some(id)) => format!("container {name} ({})", crate::resolve::short(id)),
        (None, Some(id)) => format!("container {}", crate::resolve::short(id)),
        _ => target.query.clone(),
    }
}

/// `1 holder`, `3 holders`.
fn count(n: usize, one: &str, many: &str) -> String {
    if n == 1 { format!("1 {one}") } else { format!("{n} {many}") }
}
