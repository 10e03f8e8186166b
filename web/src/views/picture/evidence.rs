//! What a chosen lane rests on: the lines of the bundle, each with its place.

use super::words;
use crate::text;
use crate::views::parts::{place, prose};
use crate::views::tree::TREE_ID;
use crate::views::wishes::use_wishes;
use ebusy_analyzer::report::{Evidence, NamespaceView, Report};
use std::rc::Rc;
use yew::prelude::*;

/// Id of the panel.
const PANEL: &str = "lane-evidence";

/// Properties of [`LaneEvidence`].
#[derive(Properties, PartialEq)]
pub(super) struct LaneEvidenceProps {
    /// The report.
    pub(super) report: Rc<Report>,
    /// Index of the lane's namespace.
    pub(super) index: usize,
    /// Index of its holder, where it is one.
    pub(super) holder: Option<usize>,
    /// Shows another place of the page, by its id.
    pub(super) go: Callback<String>,
    /// It is to be closed.
    pub(super) close: Callback<()>,
}

/// The panel. It comes into sight when it appears.
#[component]
pub(super) fn LaneEvidence(props: &LaneEvidenceProps) -> Html {
    let t = text::t();
    let wishes = use_wishes();
    use_effect_with(props.index, |_| crate::browser::page::reveal(PANEL));
    let view = props.report.namespaces.get(props.index);
    let rows: Vec<Row> = view.map(|view| rows(&props.report, view)).unwrap_or_default();
    let title = (t.evidence_of)(view.map_or("", |view| &view.label));
    let to_holder = props.holder.map(|holder| {
        let onclick = props.go.reform(move |_: MouseEvent| format!("holder-{holder}"));
        html! { <button type="button" class="copy" data-test="to-holder" {onclick}>{ t.to_holder }</button> }
    });
    let to_tree = view.and_then(|view| view.inode).map(|inode| {
        let (mounts, go) = (wishes.mounts.clone(), props.go.clone());
        let onclick = Callback::from(move |_: MouseEvent| {
            mounts.emit(inode.to_string());
            go.emit(TREE_ID.to_owned());
        });
        html! { <button type="button" class="copy" data-test="to-tree" {onclick}>{ t.to_tree }</button> }
    });
    let onkeydown = {
        let close = props.close.clone();
        Callback::from(move |event: KeyboardEvent| {
            if event.key() == "Escape" {
                close.emit(());
            }
        })
    };
    html! {
        <section id={PANEL} class="lane-evidence" data-test="lane-evidence" aria-labelledby="lane-evidence-title"
            tabindex="-1" {onkeydown}>
            <h3 id="lane-evidence-title">{ title }</h3>
            <p class="slot">{ view.map(|view| prose(&view.propagation)) }</p>
            <ul class="plain">{ for rows.iter().enumerate().map(|(index, row)| row.show(index)) }</ul>
            <div class="share">
                { for to_holder.into_iter().chain(to_tree) }
                <button type="button" class="copy" onclick={props.close.reform(|_: MouseEvent| ())}>{ t.close }</button>
            </div>
        </section>
    }
}

struct Row {
    what: &'static str,
    note: String,
    evidence: Evidence,
}

impl Row {
    fn show(&self, index: usize) -> Html {
        html! {
            <li key={index}>
                <figure class="mount">
                    <figcaption>
                        <span><strong>{ self.what }</strong>{ " " }<span class="muted">{ &self.note }</span></span>
                        <code class="place">{ place(&self.evidence) }</code>
                    </figcaption>
                    <pre class="mount-line wrap"><code>{ &self.evidence.text }</code></pre>
                </figure>
            </li>
        }
    }
}

/// Lines of a kind that are shown; the holder's card has all.
const MOST: usize = 6;

fn rows(report: &Report, view: &NamespaceView) -> Vec<Row> {
    let t = text::t();
    let mounts = view.mounts.iter().take(MOST).map(|mount| Row {
        what: t.part_mount,
        note: words::propagation(mount),
        evidence: mount.evidence.clone(),
    });
    let parent = view.parent_mount.iter().map(|mount| Row {
        what: t.part_parent,
        note: words::propagation(mount),
        evidence: mount.evidence.clone(),
    });
    let holders = || {
        let same = |namespace: Option<u64>| namespace.is_some() && namespace == view.inode;
        report.holders.iter().filter(move |holder| same(holder.mount_namespace))
    };
    let files = holders().flat_map(|holder| &holder.open_files).take(MOST).map(|file| Row {
        what: t.part_open,
        note: format!("{} {}", file.pid, file.reference),
        evidence: file.evidence.clone(),
    });
    let of_mounts: Vec<&Evidence> = view.mounts.iter().map(|mount| &mount.evidence).collect();
    let others = holders().flat_map(|holder| &holder.evidence).filter(|item| !of_mounts.contains(item));
    let others =
        others.take(MOST).map(|item| Row { what: t.evidence, note: String::new(), evidence: item.clone() });
    mounts.chain(parent).chain(files).chain(others).collect()
}
