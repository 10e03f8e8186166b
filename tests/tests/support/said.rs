//! A report in the words of the model.

use ebusy_analyzer::report::{self, HolderKind, Report};
use ebusy_tests::model::{Effect, Holder, Status, Truth};
use std::collections::BTreeMap;

/// What a report says, in the model's words.
pub(crate) fn said(report: &Report) -> Truth {
    let mut holders: BTreeMap<Holder, Effect> = BTreeMap::new();
    for holder in &report.holders {
        let effect = match holder.effect {
            report::Effect::Blocking => Effect::Blocking,
            report::Effect::Holding => Effect::Holding,
            report::Effect::Unrelated => continue,
        };
        let named = match holder.kind {
            HolderKind::OpenFile => Holder::Files(holder.pids.clone()),
            HolderKind::Device => Holder::Device(device(holder)),
            _ => Holder::Namespace(holder.mount_namespace.unwrap_or(0), holder.pids.clone()),
        };
        assert!(!holder.evidence.is_empty(), "no claim without evidence: {named:?}");
        assert!(holders.insert(named.clone(), effect).is_none(), "the same holder twice: {named:?}");
    }
    let status = match report.verdict.status {
        report::Status::Held => Status::Held,
        report::Status::Free => Status::Free,
        report::Status::Unknown => Status::Unknown,
    };
    Truth { status, holders }
}

/// Name of the stacked device or swap: the first evidence names it.
fn device(holder: &report::Holder) -> String {
    let tells = |e: &&report::Evidence| e.file.starts_with("sys/block/") || e.file == "proc/swaps";
    let first = holder.evidence.iter().find(tells).expect("a stacked device has evidence");
    match first.file.as_str() {
        "proc/swaps" => {
            format!("swap on {}", first.text.split_whitespace().next().unwrap_or_default())
        }
        file => match file.split('/').collect::<Vec<_>>()[..] {
            ["sys", "block", _, "holders", name] | ["sys", "block", name, ..] => format!("/dev/{name}"),
            _ => file.to_owned(),
        },
    }
}
