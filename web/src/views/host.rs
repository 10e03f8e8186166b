//! The host that the bundle was taken on.

use super::parts::time;
use crate::text;
use ebusy_analyzer::report::Overview;
use yew::prelude::*;

/// Host, kernel, runtime, when, and what the bundle holds.
pub fn host_facts(overview: &Overview) -> Html {
    let t = text::t();
    let (host, bundle) = (&overview.host, &overview.bundle);
    let text = |value: &Option<String>| html! { { value.as_deref().unwrap_or(t.not_known) } };
    let collected = match &host.collected_at {
        Some(value) => time(value),
        None => html! { { t.not_known } },
    };
    let rows = [
        (t.host, text(&host.name)),
        (t.kernel, text(&host.kernel)),
        (t.runtime, text(&host.runtime)),
        (t.collected, collected),
        (t.bundle, html! { { (t.bundle_facts)(bundle) } }),
    ];
    html! {
        <dl class="host" aria-label={t.host}>
            { for rows.into_iter().map(|(name, value)| html! {
                <div key={name}><dt>{ name }</dt><dd>{ value }</dd></div>
            }) }
        </dl>
    }
}
