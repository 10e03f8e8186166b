//! The answer.

use super::parts::{icon, status_glyph};
use super::target;
use crate::state::Open;
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
pub fn verdict(bundle: &Open) -> Html {
    let waiting = bundle.waiting.to_string();
    let report = bundle.report.as_deref();
    let status = report.map(|report| status_name(report.verdict.status));
    html! {
        <section class={classes!("verdict", status)} data-test="verdict" data-status={status}
            data-waiting={waiting.clone()} data-query={report.map(|report| report.target.query.clone())}
            aria-live="polite" aria-busy={waiting}>
            { report.map_or_else(looking, answer) }
        </section>
    }
}

fn looking() -> Html {
    html! { <div key="looking" class="verdict-text"><h1>{ text::t().looking }</h1></div> }
}

fn answer(report: &Report) -> Html {
    let t = text::t();
    let status = report.verdict.status;
    html! {
        <div key="answer" class="verdict-answer">
            <div class="verdict-mark">
                { icon(status_glyph(status)) }
                <span class="verdict-word">{ t.status(status) }</span>
            </div>
            <div class="verdict-text">
                <h1>{ target::title(report) }</h1>
                <p class="sentence slot">{ (t.headline)(report) }</p>
                <p class={classes!((t.headline)(report).is_none().then_some("sentence"))} lang={text::data_language()}>
                    { &report.verdict.summary }
                </p>
                <p class="muted small">{ target::details(report) }</p>
                <p class="slot muted small">{ (!t.untranslated.is_empty()).then_some(t.untranslated) }</p>
            </div>
        </div>
    }
}
