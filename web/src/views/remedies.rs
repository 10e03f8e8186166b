//! What to type now and what to change for good.

use super::holders::name_of;
use super::parts::{Copy, folding, prose};
use crate::text;
use ebusy_analyzer::report::{Effect, Holder, Remedy, Report, Status, When};
use std::rc::Rc;
use yew::prelude::*;

/// The remedies of all holders that block, one group for each: all of them must go, each by any one
/// of its commands. Then the command to try again.
pub fn remedies(report: Rc<Report>) -> Html {
    let total = blocking(&report).len();
    folding(total, 5, move |fold| {
        let t = text::t();
        let blocking = blocking(&report);
        let several = blocking.len() > 1;
        let groups = blocking.iter().take(fold.shown).enumerate().map(|(index, holder)| {
            let now = of(holder, When::Now);
            // Where there is nothing to type, why it is there says what has to go first.
            let note = match (now.len(), &holder.cause) {
                (0, Some(cause)) => prose(&cause.summary),
                (0, None) => prose(&holder.effect_reason),
                (1, _) => html! { t.one_way },
                _ => html! { t.any_one },
            };
            html! {
                <li key={index} class="remedy-group">
                    <h3>{ (t.free_holder)(&name_of(holder)) }</h3>
                    <p class="muted small">{ note }</p>
                    { remedy_list(now) }
                </li>
            }
        });
        html! {
            <section class="section remedies" aria-labelledby="remedies-title">
                <h2 id="remedies-title">{ t.remedies_title }</h2>
                <p class="slot muted">{ several.then(|| (t.all_must_go)(blocking.len())) }</p>
                <ol class={classes!("plain", several.then_some("numbered"))}>{ for groups }</ol>
                { fold.button() }
                <div class="slot">{ retry(&report) }</div>
            </section>
        }
    })
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

/// Who blocks, each named once.
pub fn blocking_names(report: &Report) -> Vec<String> {
    let mut names = Vec::new();
    for name in blocking(report).into_iter().map(name_of) {
        if !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

/// Holders whose command the verdict shows.
const BRIEF: usize = 3;

/// What to type and what to change in a few lines, for a window that is too narrow to show the two sections at once:
/// the gentlest remedy of each, and the way to all of them.
pub fn brief(report: &Report, go: &Callback<String>) -> Html {
    let t = text::t();
    let first = |holder: &&Holder| of(holder, When::Now).into_iter().next();
    let (id, title, now): (_, _, Vec<Remedy>) = if any(report) {
        ("remedies-title", t.remedies_title, blocking(report).iter().filter_map(first).take(BRIEF).collect())
    } else {
        ("next-title", t.next_title, report.next_steps.first().cloned().into_iter().collect())
    };
    let lasting = all_lasting(report).into_iter().next().into_iter().collect();
    let rows = [(id, title, now), ("lasting-title", t.lasting_title, lasting)];
    let rows =
        rows.into_iter().filter(|(_, _, remedies)| !remedies.is_empty()).map(|(id, title, remedies)| {
            let onclick = go.reform(move |_: MouseEvent| id.to_owned());
            let lines = remedies.iter().enumerate().map(|(index, remedy)| match remedy.command.is_empty() {
                true => html! { <p key={index}>{ prose(&remedy.effect) }</p> },
                false if remedy.when == When::Lasting => {
                    html! { <p key={index}>{ prose(&remedy.effect) }</p> }
                }
                false => html! { <div key={index}>{ command(&remedy.command) }</div> },
            });
            html! {
                <div key={id} data-test="brief">
                    <dt><button type="button" class="link" {onclick}>{ title }</button></dt>
                    <dd>{ for lines }</dd>
                </div>
            }
        });
    html! { <dl aria-live="off">{ for rows }</dl> }
}

/// Where the target is held, the report's next steps are the command to try again.
fn retry(report: &Report) -> Option<Html> {
    let held = report.verdict.status == Status::Held && !report.next_steps.is_empty();
    held.then(|| {
        html! {
            <div class="remedy-group">
                <h3>{ text::t().then_retry }</h3>
                { remedy_list(report.next_steps.clone()) }
            </div>
        }
    })
}

/// What keeps it from coming back; the same advice for several holders is given once.
pub fn lasting(report: &Report) -> Option<Html> {
    let remedies = all_lasting(report);
    (!remedies.is_empty()).then(|| titled("lasting-title", text::t().lasting_title, remedies))
}

fn all_lasting(report: &Report) -> Vec<Remedy> {
    let mut remedies: Vec<Remedy> = Vec::new();
    for remedy in blocking(report).iter().flat_map(|holder| of(holder, When::Lasting)) {
        if !remedies.contains(&remedy) {
            remedies.push(remedy);
        }
    }
    remedies
}

fn titled(id: &'static str, title: &'static str, remedies: Vec<Remedy>) -> Html {
    html! {
        <section class="section remedies" aria-labelledby={id}>
            <h2 {id}>{ title }</h2>
            { remedy_list(remedies) }
        </section>
    }
}

/// What to run or send next where the verdict is not `held`.
pub fn next_steps(report: &Report) -> Html {
    titled("next-title", text::t().next_title, report.next_steps.clone())
}

fn remedy_list(remedies: Vec<Remedy>) -> Html {
    folding(remedies.len(), 4, move |fold| {
        let items = remedies.iter().take(fold.shown).enumerate().map(|(index, it)| item(index, it));
        html! { <div><ul class="plain">{ for items }</ul>{ fold.button() }</div> }
    })
}

/// Something to type, whole, and the button that copies it.
pub fn command(command: &str) -> Html {
    html! {
        <div class="command">
            <Copy value={command.to_owned()} what={command.to_owned()} />
            <pre tabindex="0"><code>{ command.to_owned() }</code></pre>
        </div>
    }
}

fn item(index: usize, remedy: &Remedy) -> Html {
    let t = text::t();
    let when = match remedy.when {
        When::Now => "now",
        When::Lasting => "lasting",
    };
    let command = (!remedy.command.is_empty()).then(|| command(&remedy.command));
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
