//! Whether two bundles can be compared at all: the same host, the same boot, the right order.

use super::Side;
use crate::report::{Diagnostic, Report, Status, TimelineKind};
use crate::snapshot::Snapshot;
use crate::timeline::clock;

/// The kernel computes the boot time anew at each reading, from a clock that may be set in between.
const BOOT_TOLERANCE: u64 = 120;

pub(super) fn of_report(report: &Report) -> Side {
    let booted = report.timeline.iter().find(|e| e.kind == TimelineKind::Booted).and_then(|e| e.at.clone());
    let status: Option<Status> = report.target.found.then_some(report.verdict.status);
    Side { host: report.host.clone(), bundle: report.bundle.clone(), status, booted_at: booted }
}

pub(super) fn of_snapshot(snapshot: &Snapshot) -> Side {
    let overview = crate::report::overview(snapshot);
    Side { host: overview.host, bundle: overview.bundle, status: None, booted_at: booted_at(snapshot) }
}

/// When the host was booted, RFC 3339 UTC, where the bundle tells.
pub(super) fn booted_at(snapshot: &Snapshot) -> Option<String> {
    snapshot.facts.boot_time.map(crate::calendar::rfc3339)
}

fn seconds(text: &Option<String>) -> Option<u64> {
    text.as_deref().and_then(clock::instant).map(|m| m.seconds)
}

/// Whether the host was restarted between the two.
pub(super) fn restarted(a: &Side, b: &Side) -> bool {
    if a.host.name != b.host.name && a.host.name.is_some() && b.host.name.is_some() {
        return false;
    }
    let other_boot = match (&a.host.boot_id, &b.host.boot_id) {
        // A clock that was set moves the boot time, never the kernel's id of the boot.
        (Some(one), Some(other)) => one != other,
        _ => match (seconds(&a.booted_at), seconds(&b.booted_at)) {
            (Some(one), Some(other)) => one.abs_diff(other) > BOOT_TOLERANCE,
            _ => false,
        },
    };
    other_boot || (a.host.kernel.is_some() && b.host.kernel.is_some() && a.host.kernel != b.host.kernel)
}

/// What a summary has to add where something is missing from one of the two.
pub(super) fn caution((a, b): &(Side, Side)) -> &'static str {
    match (a.bundle.complete, b.bundle.complete) {
        (true, true) => "",
        (false, true) => " That is about the part of the first bundle that could be read.",
        (true, false) => " That is about the part of the second bundle that could be read.",
        (false, false) => " That is about the parts of both bundles that could be read.",
    }
}

pub(super) fn warnings(a: &Side, b: &Side) -> Vec<Diagnostic> {
    let mut warnings = Vec::new();
    let mut warn = |code: &str, message: String, advice: &str| {
        warnings.push(Diagnostic {
            code: code.to_owned(),
            file: None,
            line: None,
            message,
            advice: advice.to_owned(),
        });
    };
    if let (Some(one), Some(other)) = (&a.host.name, &b.host.name)
        && one != other
    {
        warn(
            "different-hosts",
            format!("The first bundle is of host {one}, the second of {other}."),
            "What is gone or new here says nothing. Compare two bundles of one host.",
        );
    }
    let other_boot = restarted(a, b);
    if other_boot {
        let times = match (&a.booted_at, &b.booted_at) {
            (Some(one), Some(other)) if one != other => format!(" (booted at {one} and at {other})"),
            _ if a.host.kernel != b.host.kernel => " (the kernels differ)".to_owned(),
            _ => " (the ids of the boots differ)".to_owned(),
        };
        warn(
            "different-boots",
            format!("The host was restarted between the two bundles{times}."),
            "A restart ends every holder: that the first ones are gone does not show that they were a race.",
        );
    }
    match (seconds(&a.host.collected_at), seconds(&b.host.collected_at)) {
        (Some(one), Some(other)) if one > other => warn(
            "wrong-order",
            "The first bundle was taken after the second one.".to_owned(),
            "Give the earlier bundle first: what is called gone is new, and the other way round.",
        ),
        (Some(one), Some(other)) if one == other => warn(
            "same-time",
            "Both bundles were taken at the same time: it may be one bundle given twice.".to_owned(),
            "Take the second one a minute or more after the first.",
        ),
        (Some(_), Some(_)) => {}
        _ => warn(
            "unknown-order",
            "The bundles do not tell when they were taken.".to_owned(),
            "Make sure that the earlier one is given first.",
        ),
    }
    for (which, side) in [("first", a), ("second", b)] {
        if !side.bundle.complete || side.bundle.privileged == Some(false) {
            let why = if side.bundle.complete {
                "was taken without the right to read everything"
            } else {
                "is not complete"
            };
            warn(
                "partial-bundle",
                format!("The {which} bundle {why}."),
                "What seems gone or new may only not have been read.",
            );
        }
    }
    warnings
}
