//! What is busy: its title, and all its names with where each was found.

use super::parts::{Copy, folding, place};
use crate::text;
use ebusy_analyzer::report::{Alias, Report};
use std::rc::Rc;
use yew::prelude::*;

/// The target in a few words: `container web`, or what was asked for.
pub fn title(report: &Report) -> String {
    let t = text::t();
    let target = &report.target;
    match (&target.name, &target.container_id) {
        (Some(name), _) => (t.container)(name),
        (None, Some(id)) => (t.container)(text::short_id(id)),
        (None, None) if target.query.is_empty() => {
            report.host.name.clone().unwrap_or_else(|| t.this_host.to_owned())
        }
        // An error that names nothing is asked about by its whole line.
        (None, None) => text::brief(text::log_message(&target.query), 80),
    }
}

/// Short id, driver, state and kind, as far as known.
pub fn details(report: &Report) -> String {
    let t = text::t();
    let target = &report.target;
    let id = target.container_id.as_deref().map(|id| (t.id)(text::short_id(id)));
    let state = target.state.as_deref().map(|state| (t.state)(state));
    let busy = t.busy_kind(target.busy).filter(|_| target.found).map(str::to_owned);
    [id, target.driver.clone(), state, busy].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// All names of the target.
pub fn aliases(report: Rc<Report>) -> Html {
    let total = report.target.aliases.len();
    folding(total, 8, move |fold| {
        let t = text::t();
        let aliases = &report.target.aliases;
        let rows = aliases.iter().take(fold.shown).enumerate().map(|(index, alias)| row(index, alias));
        html! {
            <section class="section" aria-labelledby="aliases-title">
                <h2 id="aliases-title">{ t.aliases_title }</h2>
                <p class="muted">{ t.aliases_text }</p>
                <div class="scroll" tabindex="0" role="group" aria-labelledby="aliases-title">
                    <table>
                        <thead>
                            <tr>
                                <th scope="col">{ t.column_kind }</th>
                                <th scope="col">{ t.column_name }</th>
                                <th scope="col">{ t.column_from }</th>
                            </tr>
                        </thead>
                        <tbody>{ for rows }</tbody>
                    </table>
                </div>
                { fold.button() }
            </section>
        }
    })
}

fn row(index: usize, alias: &Alias) -> Html {
    let t = text::t();
    let places = alias.evidence.iter().take(3).enumerate().map(|(index, evidence)| {
        html! { <li key={index}><code title={evidence.text.clone()}>{ place(evidence) }</code></li> }
    });
    html! {
        <tr key={index}>
            <th scope="row">{ t.alias_kind(alias.kind) }</th>
            <td class="value">
                <code>{ &alias.value }</code>{ " " }
                <Copy value={alias.value.clone()} what={alias.value.clone()} />
            </td>
            <td class="value"><ul class="plain">{ for places }</ul></td>
        </tr>
    }
}
