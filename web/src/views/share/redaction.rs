//! Which names are replaced: all that were found are, until somebody wants otherwise.

use crate::text;
use ebusy_analyzer::report::redact::{KINDS, Kind, Replaced};
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The choices, each with how much of it is in the report. `found` counts as if all were replaced.
pub(super) fn redaction(found: &[Replaced], chosen: &[Kind], choose: &Callback<Vec<Kind>>) -> Html {
    let t = text::t().share;
    let rows = KINDS.iter().enumerate().map(|(index, kind)| {
        let (label, why) = (t.kinds)(*kind);
        let checked = chosen.contains(kind);
        let count = found.iter().find(|f| f.kind == *kind);
        let said =
            count.map_or_else(|| t.none_found.to_owned(), |c| (t.found)(c.different, c.places, checked));
        let onchange = {
            let (kind, chosen, choose) = (*kind, chosen.to_vec(), choose.clone());
            Callback::from(move |event: Event| {
                let on = event.target_unchecked_into::<HtmlInputElement>().checked();
                // In the fixed order, so that the same choice is the same value.
                choose.emit(
                    KINDS
                        .iter()
                        .copied()
                        .filter(|k| if *k == kind { on } else { chosen.contains(k) })
                        .collect(),
                );
            })
        };
        html! {
            <li key={index} class={classes!(count.is_none().then_some("none"))}>
                <label>
                    <input type="checkbox" data-test={format!("redact-{index}")} {checked} {onchange} />
                    <span class="redact-name">{ label }</span>
                    <span class="redact-count">{ said }</span>
                    <span class="redact-why">{ why }</span>
                </label>
            </li>
        }
    });
    html! {
        <fieldset class="share-part">
            <legend>{ t.redact }</legend>
            <p class="muted small">{ t.redact_text }</p>
            <ul class="plain redaction">{ for rows }</ul>
        </fieldset>
    }
}
