//! The host that the bundle was taken on.

use super::parts::Time;
use crate::text;
use ebusy_analyzer::report::Overview;
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`HostFacts`].
#[derive(Properties, PartialEq)]
pub struct HostFactsProps {
    /// What the bundle offers.
    pub overview: Rc<Overview>,
}

/// Host, kernel, runtime, when, and what the bundle holds.
#[component]
pub fn HostFacts(props: &HostFactsProps) -> Html {
    let t = text::t();
    let (host, bundle) = (&props.overview.host, &props.overview.bundle);
    let text = |value: &Option<String>| html! { { value.as_deref().unwrap_or(t.not_known) } };
    let collected = match &host.collected_at {
        Some(value) => html! { <Time value={value.clone()} /> },
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
