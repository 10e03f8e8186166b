//! What to compare two bundles about, where nobody said it.

use super::{Diff, of_both, of_censuses};
use crate::report::Report;
use crate::{Analysis, Query};

/// Two bundles compared, with the reports that the comparison is about.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// What changed.
    pub diff: Diff,
    /// The report of the earlier bundle.
    pub before: Report,
    /// The report of the later one, about the same.
    pub after: Report,
    /// False where something was asked for that neither bundle has.
    pub found: bool,
}

/// Compares two bundles, the earlier one first, about `id` (an id, name, path or device). Without it, the latest
/// error of the earlier bundle is the question to both, else that of the later one, else only what lives on counts.
///
/// ```
/// # mod parts { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/parts/host.rs")); }
/// # use parts::host;
/// // `host` gives an `Analysis` of a host, as `Analysis::open` does.
///
/// let (before, after) = (host("web1")?, host("web1")?);
/// let compared = ebusy_analyzer::diff::compare(&before, &after, Some("/mnt/data"));
/// assert!(compared.found && compared.diff.new.is_empty());
/// assert_eq!(compared.diff.still.len(), compared.before.holders.len());
/// # Ok::<(), ebusy_analyzer::OpenError>(())
/// ```
pub fn compare(a: &Analysis, b: &Analysis, id: Option<&str>) -> Compared {
    let (before, after) = match id {
        Some(id) => {
            let query = Query::Text(id.to_owned());
            (a.explain(&query), b.explain(&query))
        }
        None => default_reports(a, b),
    };
    let is_known = before.target.found || after.target.found;
    let diff = if is_known || id.is_some() { of_both((&before, &after), (a, b)) } else { of_censuses(a, b) };
    Compared { diff, before, after, found: is_known || id.is_none() }
}

fn default_reports(a: &Analysis, b: &Analysis) -> (Report, Report) {
    let before = a.explain(&Query::Default);
    if before.target.found {
        let after = b.explain(&question(&before));
        return (before, after);
    }
    let after = b.explain(&Query::Default);
    (a.explain(&question(&after)), after)
}

/// The question that leads to a report's target in another bundle.
fn question(report: &Report) -> Query {
    Query::Text(report.target.container_id.clone().unwrap_or_else(|| report.target.query.clone()))
}
