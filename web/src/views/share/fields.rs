//! What others will see of a report, field by field.

use crate::text;
use crate::views::parts::place;
use ebusy_analyzer::report::{Evidence, Holder, Report};
use yew::prelude::*;

/// Lines that are listed of one field; a report may have thousands.
const SHOWN: usize = 200;

/// The fields with something in them, folded but for the first.
pub(super) fn fields(report: &Report) -> Html {
    let t = text::t();
    let all = t.share.fields.into_iter().zip(lines(report)).enumerate();
    let parts = all.filter(|(_, (_, lines))| !lines.is_empty()).map(|(index, (name, lines))| {
        let rest = lines.len().saturating_sub(SHOWN);
        let items = lines.iter().take(SHOWN).enumerate().map(|(index, line)| html! { <li key={index}>{ line }</li> });
        html! {
            <details key={index} open={index == 0}>
                <summary>{ name }<span class="muted">{ format!(" ({})", lines.len()) }</span></summary>
                <ul class="plain field-lines">
                    { for items }
                    { for (rest > 0).then(|| html! { <li key="rest" class="muted">{ (t.show_more)(rest) }</li> }) }
                </ul>
            </details>
        }
    });
    html! { <div class="fields">{ for parts }</div> }
}

/// The lines of each field, in the order of their names.
fn lines(report: &Report) -> [Vec<String>; 9] {
    let mut evidence: Vec<String> =
        all_evidence(report).map(|e| format!("{}: {}", place(e), e.text)).collect();
    ebusy_analyzer::order::sort(&mut evidence);
    evidence.dedup();
    let host = [&report.host.name, &report.host.kernel, &report.host.runtime, &report.host.collected_at];
    let target = &report.target;
    let names = [&target.container_id, &target.name, &target.driver, &target.state].into_iter().flatten();
    let remedies = report.holders.iter().flat_map(|h| &h.remedies).chain(&report.next_steps);
    let notes = report.propagation.iter().chain(&report.looked_at).cloned();
    let mut names: Vec<String> =
        names.cloned().chain(target.aliases.iter().map(|a| a.value.clone())).collect();
    names.extend(target.candidates.iter().cloned());
    names.dedup();
    [
        vec![report.verdict.summary.clone()],
        host.into_iter().flatten().cloned().collect(),
        names,
        report.holders.iter().flat_map(holder).collect(),
        remedies.filter(|r| !r.command.is_empty()).map(|r| r.command.clone()).collect(),
        report.errors.iter().flat_map(|e| e.all()).map(|e| e.line.clone()).collect(),
        evidence,
        report
            .timeline
            .iter()
            .map(|e| format!("{} {}", e.at.as_deref().unwrap_or_default(), e.what))
            .collect(),
        notes.chain(report.warnings.iter().map(|w| w.message.clone())).collect(),
    ]
}

fn holder(holder: &Holder) -> Vec<String> {
    let t = text::t();
    let container = holder.container.as_ref().map(|c| {
        [Some(&c.id), c.name.as_ref(), c.image.as_ref()]
            .into_iter()
            .flatten()
            .cloned()
            .collect::<Vec<_>>()
            .join(" ")
    });
    let who = [holder.unit.clone(), container].into_iter().flatten().collect::<Vec<_>>().join(" ");
    let cause = holder.cause.as_ref().map(|c| c.summary.clone());
    let head = format!("{}: {} {who}", t.effect(holder.effect), t.holder_kind(holder.kind));
    let processes = holder
        .process
        .iter()
        .chain(&holder.more_processes)
        .map(|p| format!("{} {}", p.pid, if p.cmdline.is_empty() { &p.comm } else { &p.cmdline }));
    let files = holder.open_files.iter().map(|f| format!("{} {} {}", f.pid, f.reference, f.path));
    std::iter::once(head).chain(cause).chain(processes).chain(files).collect()
}

fn all_evidence(report: &Report) -> impl Iterator<Item = &Evidence> {
    let lanes = report.namespaces.iter().flat_map(|n| n.mounts.iter().chain(&n.parent_mount));
    let mounts = report.holders.iter().flat_map(|h| &h.mounts).chain(lanes).map(|m| &m.evidence);
    let aliases = report.target.aliases.iter().flat_map(|a| &a.evidence);
    let events = report.timeline.iter().flat_map(|e| &e.evidence);
    report.holders.iter().flat_map(|h| &h.evidence).chain(mounts).chain(aliases).chain(events)
}
