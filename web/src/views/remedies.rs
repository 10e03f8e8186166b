//! What to type now and what to change for good.

use super::holders::name_of;
use super::parts::{Copy, prose, use_fold};
use crate::text;
use ebusy_analyzer::report::{Effect, Holder, Remedy, Report, Status, When};
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`Remedies`].
#[derive(Properties, PartialEq)]
pub struct RemediesProps {
    /// The report.
    pub report: Rc<Report>,
}

/// The remedies of all holders that block, one group for each: all of them must go, each by any one
/// of its commands. Then the command to try again.
#[component]
pub fn Remedies(props: &RemediesProps) -> Html {
    let t = text::t();
    let report = &props.report;
    let blocking = blocking(report);
    let fold = use_fold(blocking.len(), 5);
    let several = blocking.len() > 1;
    let groups = blocking.iter().take(fold.shown).enumerate().map(|(index, holder)| {
        let now = of(holder, When::Now);
        html! {
            <li key={index} class="remedy-group">
                <h3>{ (t.free_holder)(&name_of(holder)) }</h3>
                <p class="muted small">{ if now.len() > 1 { t.any_one } else { t.one_way } }</p>
                <RemedyList remedies={now} />
            </li>
        }
    });
    html! {
        <section class="section remedies" aria-labelledby="remedies-title">
            <h2 id="remedies-title">{ t.remedies_title }</h2>
            <p class="slot muted">{ several.then(|| (t.all_must_go)(blocking.len())) }</p>
            <ol class={classes!("plain", several.then_some("numbered"))}>{ for groups }</ol>
            { fold.button() }
            <div class="slot">{ retry(report) }</div>
        </section>
    }
}

/// Whether there is anything for [`Remedies`] to show.
pub fn any(report: &Report) -> bool {
    blocking(report).iter().any(|holder| !holder.remedies.is_empty())
}

fn blocking(report: &Report) -> Vec<&Holder> {
    report.holders.iter().filter(|holder| holder.effect == Effect::Blocking).collect()
}

fn of(holder: &Holder, when: When) -> Vec<Remedy> {
    holder.remedies.iter().filter(|remedy| remedy.when == when).cloned().collect()
}

/// Where the target is held, the report's next steps are the command to try again.
fn retry(report: &Report) -> Option<Html> {
    let held = report.verdict.status == Status::Held && !report.next_steps.is_empty();
    held.then(|| {
        html! {
            <div class="remedy-group">
                <h3>{ text::t().then_retry }</h3>
                <RemedyList remedies={report.next_steps.clone()} />
            </div>
        }
    })
}

/// What keeps it from coming back; the same advice for several holders is given once.
pub fn lasting(report: &Report) -> Option<Html> {
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in blocking(report).iter().flat_map(|holder| of(holder, When::Lasting)) {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    (!remedies.is_empty()).then(|| titled("lasting-title", text::t().lasting_title, remedies))
}

fn titled(id: &'static str, title: &'static str, remedies: Vec<Remedy>) -> Html {
    html! {
        <section class="section remedies" aria-labelledby={id}>
            <h2 {id}>{ title }</h2>
            <RemedyList {remedies} />
        </section>
    }
}

/// What to run or send next where the verdict is not `held`.
pub fn next_steps(report: &Report) -> Html {
    titled("next-title", text::t().next_title, report.next_steps.clone())
}

#[derive(Properties, PartialEq)]
struct RemedyListProps {
    remedies: Vec<Remedy>,
}

#[component]
fn RemedyList(props: &RemedyListProps) -> Html {
    let fold = use_fold(props.remedies.len(), 4);
    let items = props.remedies.iter().take(fold.shown).enumerate().map(|(index, it)| item(index, it));
    html! { <div><ul class="plain">{ for items }</ul>{ fold.button() }</div> }
}

fn item(index: usize, remedy: &Remedy) -> Html {
    let t = text::t();
    let when = match remedy.when {
        When::Now => "now",
        When::Lasting => "lasting",
    };
    let command = (!remedy.command.is_empty()).then(|| {
        html! {
            <div class="command">
                <pre tabindex="0"><code>{ &remedy.command }</code></pre>
                <Copy value={remedy.command.clone()} what={remedy.command.clone()} />
            </div>
        }
    });
    let risk = (!remedy.risk.is_empty()).then(|| {
        html! { <p class="risk"><strong>{ t.risk }</strong>{ " " }{ prose(&remedy.risk) }</p> }
    });
    html! {
        <li key={index} class="remedy" data-test="remedy" data-when={when}>
            <div class="slot">{ command }</div>
            <p>{ prose(&remedy.effect) }</p>
            <div class="slot">{ risk }</div>
        </li>
    }
}
