//! What happened when, by the clocks of the bundle.

use super::parts::{folding, place, prose, time};
use crate::text;
use ebusy_analyzer::report::{Evidence, Report, TimelineEvent};
use std::rc::Rc;
use yew::prelude::*;

/// The events in the report's order: dated ones first, then those whose source tells no year or no zone.
pub fn timeline(report: Rc<Report>) -> Html {
    let total = report.timeline.len();
    folding(total, 12, move |fold| {
        let t = text::t();
        let events = &report.timeline;
        let items = events.iter().take(fold.shown).enumerate().map(|(index, event)| {
            html! {
                <li key={index} data-test="event" data-at={event.at.clone()}>
                    <span class="when">{ when(event) }</span>
                    <div>
                        <p>{ prose(&event.what) }</p>
                        <p class="places">{ for event.evidence.iter().enumerate().map(source) }</p>
                    </div>
                </li>
            }
        });
        html! {
            <section class="section" aria-labelledby="timeline-title" data-test="timeline">
                <h2 id="timeline-title">{ t.timeline_title }</h2>
                <p class="muted">{ t.timeline_text }</p>
                <ol class="timeline">{ for items }</ol>
                { fold.button() }
            </section>
        }
    })
}

/// The date where there is one, else the words of the source.
fn when(event: &TimelineEvent) -> Html {
    match (&event.at, &event.written) {
        (Some(at), _) => time(at),
        (None, Some(written)) => html! { <span title={text::t().undated}>{ written }</span> },
        (None, None) => html! { <span>{ text::t().no_time }</span> },
    }
}

fn source((index, evidence): (usize, &Evidence)) -> Html {
    html! { <code key={index} class="place" title={evidence.text.clone()}>{ place(evidence) }</code> }
}
