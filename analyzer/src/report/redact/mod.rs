//! Takes out of a report what tells whose host it is, before it is shown to others.
//!
//! The same name gets the same stand-in wherever it occurs (`host-1`, `container-2`), so that the report can still be
//! followed. Ids, mount paths below the runtime's directories, devices and units stay: without them there is no
//! finding. Words that say nothing about anybody (`docker`, `localhost`) stay, too.

mod scan;
mod terms;

use super::Report;
use super::link::visit_texts;
use crate::order;
use terms::Terms;

pub use super::replaced::{KINDS, Kind, Replaced};

/// The report with everything of these kinds replaced, and how often that was, for each kind that occurs.
/// ```
/// use ebusy_analyzer::report::Report;
/// use ebusy_analyzer::report::redact::{Kind, redact};
///
/// let mut report = Report::default();
/// report.host.name = Some("db7.example.org".to_owned());
/// report.verdict.summary = "nothing holds it on db7.example.org".to_owned();
/// let (public, replaced) = redact(&report, &[Kind::Host]);
/// assert!(!public.verdict.summary.contains("db7"));
/// assert_eq!(replaced.len(), 1);
/// ```
pub fn redact(report: &Report, kinds: &[Kind]) -> (Report, Vec<Replaced>) {
    let mut report = report.clone();
    if kinds.is_empty() {
        return (report, Vec::new());
    }
    let mut terms = Terms::of(&report, kinds);
    let arguments = if kinds.contains(&Kind::Argument) { cut_arguments(&mut report) } else { Vec::new() };
    visit_texts(&mut report, &mut |text| {
        for (whole, short) in &arguments {
            if text.contains(whole.as_str()) {
                *text = text.replace(whole.as_str(), short);
            }
        }
        if let Some(replaced) = scan::replace(text, &mut terms) {
            *text = replaced;
        }
    });
    let mut replaced = terms.replaced();
    if !arguments.is_empty() {
        let count = u32::try_from(arguments.len()).unwrap_or(u32::MAX);
        let places = arguments.iter().map(|(whole, _)| terms::words(whole)).fold(0, u32::saturating_add);
        replaced.push(Replaced { kind: Kind::Argument, different: count, places });
    }
    order::sort_by_key(&mut replaced, |r| r.kind);
    (report, replaced)
}

/// Leaves of each command line the program only. Gives back each line that was cut, the longest first, because it may
/// stand in other places, too.
fn cut_arguments(report: &mut Report) -> Vec<(String, String)> {
    let mut cut: Vec<(String, String)> = Vec::new();
    let lanes = report.namespaces.iter_mut().flat_map(|n| &mut n.processes);
    let holders = report.holders.iter_mut().flat_map(|h| h.process.iter_mut().chain(&mut h.more_processes));
    for process in lanes.chain(holders) {
        if let Some((program, rest)) = process.cmdline.split_once(' ')
            && !rest.trim().is_empty()
            && rest != terms::CUT
        {
            let short = format!("{program} {}", terms::CUT);
            if !cut.iter().any(|(whole, _)| *whole == process.cmdline) {
                cut.push((process.cmdline.clone(), short.clone()));
            }
            process.cmdline = short;
        }
    }
    order::sort_by(&mut cut, |(a, _), (b, _)| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
    cut
}

#[cfg(test)]
mod tests;
