//! A bundle that is open: host, errors and search beside the answer.

use super::Acts;
use super::census::CensusView;
use super::containers::Containers;
use super::errors_list::ErrorsList;
use super::given::given;
use super::holders::Holders;
use super::host::host_facts;
use super::parts::{place, use_fold};
use super::picture::{self, PictureView};
use super::remedies::{self, Remedies, next_steps};
use super::search::Search;
use super::share::Share;
use super::tabs::{self, tabs};
use super::target::Aliases;
use super::timeline::Timeline;
use super::tree::TreeView;
use super::verdict::verdict;
use super::warnings::{self, Warnings};
use crate::state::{Open, Tab};
use crate::text;
use crate::worker::protocol::Question;
use ebusy_analyzer::report::{BusyError, Report, Status};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`BundleView`].
#[derive(Properties, PartialEq)]
pub struct BundleViewProps {
    /// The bundle.
    pub bundle: Rc<Open>,
    /// What somebody can do.
    pub act: Acts,
}

/// The screen of an open bundle.
#[component]
pub fn BundleView(props: &BundleViewProps) -> Html {
    let BundleViewProps { bundle, act } = props;
    let ask = &act.ask;
    let sections = bundle.report.as_ref().map(|report| sections(bundle, report, act));
    let census = bundle.census.as_ref().map(|census| html! { <CensusView census={census.clone()} /> });
    // Long lists are made only where they can be seen: a table in a hidden panel has no height to measure.
    let containers = (bundle.tab == Tab::Containers)
        .then(|| html! { <Containers overview={bundle.overview.clone()} ask={ask.clone()} /> });
    let mounts = (bundle.tab == Tab::Mounts).then(|| tree(bundle));
    html! {
        <div class="bundle">
            { given(bundle) }
            { host_facts(&bundle.overview) }
            <div class={classes!("columns", bundle.given.origin.is_some().then_some("alone"))}>
                { verdict(bundle) }
                <aside class="side" aria-label={text::t().side} hidden={bundle.given.origin.is_some()}>
                    <Search overview={bundle.overview.clone()} ask={ask.clone()} />
                    <ErrorsList errors={bundle.overview.errors.clone()} question={bundle.question.clone()}
                        ask={ask.clone()} />
                </aside>
                <div class="details">
                    <div class="slot" hidden={bundle.given.origin.is_some()}>{ tabs(bundle, act) }</div>
                    { tabs::panel(Tab::Report, bundle, html! {
                        <div class={classes!("slot", bundle.waiting.then_some("waiting"))}>{ sections }</div>
                    }) }
                    { tabs::panel(Tab::Census, bundle, html! { <div class="slot">{ census }</div> }) }
                    { tabs::panel(Tab::Containers, bundle, html! { <div class="slot">{ containers }</div> }) }
                    { tabs::panel(Tab::Mounts, bundle, html! { <div class="slot">{ mounts }</div> }) }
                </div>
            </div>
        </div>
    }
}

/// The mounts of any namespace, the target's marked.
fn tree(bundle: &Open) -> Html {
    let spaces = bundle.report.iter().flat_map(|report| &report.namespaces);
    let targets: Rc<[u32]> = spaces.flat_map(|view| &view.mounts).map(|mount| mount.id).collect();
    let wanted = bundle.mounts_wanted.clone().map(AttrValue::from);
    // A holder's mounts against the host's are why most come here.
    let holder = bundle.report.iter().flat_map(|report| &report.holders).find_map(|it| it.mount_namespace);
    let first = holder.map(|inode| inode.to_string()).unwrap_or_default();
    html! { <TreeView mounts={bundle.mounts.clone()} {wanted} {first} {targets} /> }
}

/// What stands below the verdict, the most useful first. Another answer is another element: nothing
/// stays folded open from the one before.
fn sections(bundle: &Rc<Open>, report: &Rc<Report>, act: &Acts) -> Html {
    let ask = &act.ask;
    let t = text::t();
    let warnings = warnings::all(&bundle.overview, report);
    let held = report.verdict.status == Status::Held;
    let candidates = (!report.target.candidates.is_empty())
        .then(|| html! { <Candidates report={report.clone()} ask={ask.clone()} /> });
    let next = (!held && !report.next_steps.is_empty()).then(|| next_steps(report));
    let remedies = (remedies::any(report) || (held && !report.next_steps.is_empty()))
        .then(|| html! { <Remedies report={report.clone()} /> });
    let picture = picture::is_telling(report).then(|| html! { <PictureView report={report.clone()} /> });
    let lasting = remedies::lasting(report);
    let timeline = (!report.timeline.is_empty()).then(|| html! { <Timeline report={report.clone()} /> });
    let holders = (held || !report.holders.is_empty()).then(|| html! { <Holders report={report.clone()} /> });
    let errors = (!report.errors.is_empty()).then(|| html! { <LogLines errors={report.errors.clone()} /> });
    let aliases = (!report.target.aliases.is_empty()).then(|| html! { <Aliases report={report.clone()} /> });
    let looked =
        (!report.looked_at.is_empty()).then(|| sentences("looked-title", t.looked_title, &report.looked_at));
    let warned = (!warnings.is_empty()).then(|| html! { <Warnings items={warnings} /> });
    let share = Some(html! { <Share bundle={bundle.clone()} act={act.clone()} /> });
    let parts = [
        share, candidates, next, remedies, picture, lasting, timeline, holders, errors, aliases, looked,
        warned,
    ];
    html! {
        <div key={bundle.answered} class="sections">
            { for parts.into_iter().enumerate().map(|(index, part)| html! {
                <div key={index} class="slot">{ part }</div>
            }) }
        </div>
    }
}

/// Sentences of the report under a title.
fn sentences(id: &'static str, title: &'static str, items: &[String]) -> Html {
    let items = items.iter().enumerate().map(|(index, item)| html! { <li key={index}>{ item }</li> });
    html! {
        <section class="section" aria-labelledby={id}>
            <h2 {id}>{ title }</h2>
            <ul class="sentences" lang={text::data_language()}>{ for items }</ul>
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct CandidatesProps {
    report: Rc<Report>,
    ask: Callback<Question>,
}

/// Other containers that the query fits too.
#[component]
fn Candidates(props: &CandidatesProps) -> Html {
    let candidates = &props.report.target.candidates;
    let fold = use_fold(candidates.len(), 8);
    let items = candidates.iter().take(fold.shown).enumerate().map(|(index, candidate)| {
        let wanted = candidate.clone();
        let onclick = props.ask.reform(move |_: MouseEvent| Question::Text(wanted.clone()));
        html! { <li key={index}><button type="button" class="fold" {onclick}>{ candidate }</button></li> }
    });
    html! {
        <section class="note" aria-labelledby="candidates-title">
            <h2 id="candidates-title" class="small-title">{ text::t().candidates_title }</h2>
            <ul class="plain candidates">{ for items }</ul>
            { fold.button() }
        </section>
    }
}

#[derive(Properties, PartialEq)]
struct LogLinesProps {
    errors: Vec<BusyError>,
}

/// The log's own words about this target.
#[component]
fn LogLines(props: &LogLinesProps) -> Html {
    let t = text::t();
    let fold = use_fold(props.errors.len(), 3);
    let items = props.errors.iter().take(fold.shown).enumerate().map(|(index, error)| {
        let first = error.first.as_deref().map(text::time).unwrap_or_default();
        let last = error.last.as_deref().map(text::time).unwrap_or_default();
        let place = error.evidence.as_ref().map(place).unwrap_or_default();
        html! {
            <figure key={index} class="mount">
                <figcaption>
                    <span class="mount-facts">{ (t.seen)(error.count, &first, &last) }</span>
                    <code class="place">{ place }</code>
                </figcaption>
                <pre class="mount-line wrap" tabindex="0"><code>{ &error.line }</code></pre>
            </figure>
        }
    });
    html! {
        <section class="section" aria-labelledby="log-title">
            <h2 id="log-title">{ t.log_title }</h2>
            <div>{ for items }</div>
            { fold.button() }
        </section>
    }
}
