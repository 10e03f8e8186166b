//! A bundle that is open: host, errors and search beside the answer.

use super::Acts;
use super::census::census_view;
use super::containers::Containers;
use super::destination::use_destination;
use super::errors_list::errors_list;
use super::given::given;
use super::holders::Holders;
use super::host::host_facts;
use super::parts::{folding, place, prose};
use super::picture::{self, PictureView};
use super::remedies::{self, next_steps, remedies};
use super::search::Search;
use super::share::Share;
use super::tabs::{self, tabs};
use super::target::aliases;
use super::timeline::timeline;
use super::tree::TreeView;
use super::verdict::verdict;
use super::warnings;
use crate::browser::page;
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
    let place = use_destination();
    let whole = use_whole();
    let parts = bundle.report.as_ref().map(|report| parts(bundle, report, act));
    let contents = parts.as_ref().map(|parts| contents(bundle, parts, &place.go));
    let sections = parts.map(|parts| sections(bundle, parts, whole));
    let census = bundle.census.as_ref().map(|census| census_view(census.clone()));
    // Long lists are made only where they can be seen: a table in a hidden panel has no height to measure.
    let containers = (bundle.tab == Tab::Containers)
        .then(|| html! { <Containers overview={bundle.overview.clone()} ask={ask.clone()} /> });
    let mounts = (bundle.tab == Tab::Mounts).then(|| tree(bundle));
    html! {
        <div class="bundle">
            { given(bundle) }
            { host_facts(&bundle.overview) }
            <div class={classes!("columns", bundle.given.origin.is_some().then_some("alone"))}>
                { verdict(bundle, &place.go) }
                <aside class="side" aria-label={text::t().side} hidden={bundle.given.origin.is_some()}>
                    <Search overview={bundle.overview.clone()} ask={ask.clone()} />
                    { errors_list(bundle.overview.errors.clone(), bundle.question.clone(), ask.clone()) }
                    <div class="slot">{ contents }</div>
                </aside>
                <div class="details" aria-busy={(!whole).to_string()}>
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

/// False for the first painting only: the answer can be seen sooner than all that it rests on could be drawn.
#[hook]
fn use_whole() -> bool {
    let whole = use_state_eq(|| !page::PAINTS);
    let setter = whole.setter();
    use_effect_with((), move |()| page::after_paint(move || setter.set(true)));
    *whole
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

/// So many of the parts fill the first screen.
const FIRST: usize = 5;

/// A part of the report, where it has one.
struct Part {
    /// Of its title; empty for what is no section of its own.
    id: &'static str,
    title: String,
    html: Option<Html>,
}

/// What stands below the verdict, the most useful first.
fn parts(bundle: &Rc<Open>, report: &Rc<Report>, act: &Acts) -> Vec<Part> {
    let ask = &act.ask;
    let t = text::t();
    let warnings = warnings::all(&bundle.overview, report);
    let warned_title = (t.warnings_title)(warnings.len());
    let held = report.verdict.status == Status::Held;
    let candidates = (!report.target.candidates.is_empty()).then(|| candidates(report.clone(), ask.clone()));
    let next = (!held && !report.next_steps.is_empty()).then(|| next_steps(report));
    let remedies =
        (remedies::any(report) || (held && !report.next_steps.is_empty())).then(|| remedies(report.clone()));
    let picture = picture::is_telling(report).then(|| html! { <PictureView report={report.clone()} /> });
    let lasting = remedies::lasting(report);
    let timeline = (!report.timeline.is_empty()).then(|| timeline(report.clone()));
    let holders = (held || !report.holders.is_empty()).then(|| html! { <Holders report={report.clone()} /> });
    let errors = (!report.errors.is_empty()).then(|| log_lines(report.errors.clone()));
    let aliases = (!report.target.aliases.is_empty()).then(|| aliases(report.clone()));
    let looked =
        (!report.looked_at.is_empty()).then(|| sentences("looked-title", t.looked_title, &report.looked_at));
    let warned = (!warnings.is_empty()).then(|| warnings::warnings(warnings));
    let share = Some(html! { <Share bundle={bundle.clone()} act={act.clone()} /> });
    let holders_title = (t.holders_title)(report.holders.len());
    [
        ("", "", share),
        ("", "", candidates),
        ("next-title", t.next_title, next),
        ("remedies-title", t.remedies_title, remedies),
        ("lasting-title", t.lasting_title, lasting),
        ("picture-title", t.picture_title, picture),
        ("timeline-title", t.timeline_title, timeline),
        ("holders-title", &holders_title, holders),
        ("log-title", t.log_title, errors),
        ("aliases-title", t.aliases_title, aliases),
        ("looked-title", t.looked_title, looked),
        ("warnings-title", &warned_title, warned),
    ]
    .into_iter()
    .map(|(id, title, html)| Part { id, title: title.to_owned(), html })
    .collect()
}

/// The parts below each other, all of them or the first. Another answer is another element: nothing stays folded open
/// from the one before.
fn sections(bundle: &Open, parts: Vec<Part>, whole: bool) -> Html {
    // What to type and what to change stand side by side where there is room: both are the answer.
    let has = |id| parts.iter().any(|part| part.id == id && part.html.is_some());
    let both = has("remedies-title") && has("lasting-title");
    html! {
        <div key={bundle.answered} class={classes!("sections", both.then_some("both"))}>
            { for parts.into_iter().enumerate().map(|(index, part)| html! {
                <div key={index} class="slot">{ part.html.filter(|_| whole || index < FIRST) }</div>
            }) }
        </div>
    }
}

/// The way to each part of a long report.
fn contents(bundle: &Open, parts: &[Part], go: &Callback<String>) -> Html {
    let shown = parts.iter().filter(|part| part.html.is_some() && !part.id.is_empty());
    let items = shown.filter(|_| bundle.tab == Tab::Report).map(|part| {
        let id = part.id;
        let onclick = go.reform(move |_: MouseEvent| id.to_owned());
        html! { <li key={id}><button type="button" class="link" {onclick}>{ &part.title }</button></li> }
    });
    html! {
        <nav class="contents" aria-labelledby="contents-title" hidden={bundle.tab != Tab::Report} data-test="contents">
            <h2 id="contents-title" class="small-title">{ text::t().contents }</h2>
            <ul class="plain">{ for items }</ul>
        </nav>
    }
}

/// Sentences of the report under a title.
fn sentences(id: &'static str, title: &'static str, items: &[String]) -> Html {
    let items = items.iter().enumerate().map(|(index, item)| html! { <li key={index}>{ prose(item) }</li> });
    html! {
        <section class="section" aria-labelledby={id}>
            <h2 {id}>{ title }</h2>
            <ul class="sentences">{ for items }</ul>
        </section>
    }
}

/// Other containers that the query fits too.
fn candidates(report: Rc<Report>, ask: Callback<Question>) -> Html {
    let total = report.target.candidates.len();
    folding(total, 8, move |fold| {
        let candidates = &report.target.candidates;
        let items = candidates.iter().take(fold.shown).enumerate().map(|(index, candidate)| {
            let wanted = candidate.clone();
            let onclick = ask.reform(move |_: MouseEvent| Question::Text(wanted.clone()));
            html! { <li key={index}><button type="button" class="fold" {onclick}>{ candidate }</button></li> }
        });
        html! {
            <section class="note" aria-labelledby="candidates-title">
                <h2 id="candidates-title" class="small-title">{ text::t().candidates_title }</h2>
                <ul class="plain candidates">{ for items }</ul>
                { fold.button() }
            </section>
        }
    })
}

/// The log's own words about this target.
fn log_lines(errors: Vec<BusyError>) -> Html {
    folding(errors.len(), 3, move |fold| {
        let t = text::t();
        let items = errors.iter().take(fold.shown).enumerate().map(|(index, error)| {
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
    })
}
