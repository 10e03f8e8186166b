//! The answer.

use super::parts::{icon, prose, status_glyph};
use super::remedies;
use super::target;
use crate::state::{Open, Tab};
use crate::text;
use ebusy_analyzer::report::{Report, Status};
use yew::prelude::*;

/// Name of a verdict in attributes and classes, as in the report's JSON.
pub fn status_name(status: Status) -> &'static str {
    match status {
        Status::Held => "held",
        Status::Free => "free",
        Status::Unknown => "unknown",
    }
}

/// The verdict by sign, word and sentence; announced when it changes.
pub fn verdict(bundle: &Open, go: &Callback<String>) -> Html {
    let waiting = bundle.waiting.to_string();
    let report = bundle.report.as_deref();
    let status = report.map(|report| status_name(report.verdict.status));
    html! {
        <section class={classes!("verdict", status)} data-test="verdict" data-status={status}
            data-waiting={waiting.clone()} data-query={report.map(|report| report.target.query.clone())}
            aria-live="polite" aria-busy={waiting}>
            { report.map_or_else(looking, |report| answer(report, bundle.tab == Tab::Report, go)) }
        </section>
    }
}

fn looking() -> Html {
    html! { <div key="looking" class="verdict-text"><h1>{ text::t().looking }</h1></div> }
}

fn answer(report: &Report, in_brief: bool, go: &Callback<String>) -> Html {
    let t = text::t();
    let status = report.verdict.status;
    let title = target::title(report);
    let names = if status == Status::Held { remedies::blocking_names(report) } else { Vec::new() };
    let headline = (t.headline)(report, &names, &title);
    let details = target::details(report);
    let tells = headline.as_ref().is_none_or(|headline| headline.contains(&title));
    let details = if tells { details } else { format!("{title} · {details}") };
    html! {
        <div key="answer" class="verdict-answer">
            <div class="verdict-mark">
                { icon(status_glyph(status)) }
                <span class="verdict-word">{ t.status(status) }</span>
            </div>
            <div class="verdict-text">
                <h1>{ headline.unwrap_or(title) }</h1>
                <p class="sentence">{ prose(&report.verdict.summary) }</p>
                <p class="muted small">{ details }</p>
                <p class="slot muted small">{ (!t.untranslated.is_empty()).then_some(t.untranslated) }</p>
            </div>
            <div class="brief slot">{ in_brief.then(|| remedies::brief(report, go)) }</div>
        </div>
    }
}
