//! Which host of several is looked at.

use super::Acts;
use crate::state::{Action, Open, State};
use crate::text;
use web_sys::HtmlSelectElement;
use yew::prelude::*;

/// The way back to the list of hosts, where there is one.
pub fn back(state: &State, act: &Acts) -> Html {
    let t = text::t();
    let button = state.fleet.as_ref().map(|fleet| {
        let onclick = act.send.reform(|_: MouseEvent| Action::Listed);
        html! {
            <button type="button" data-test="all-hosts" title={t.fleet.back} {onclick}>
                { "← " }{ (t.fleet.all_hosts)(fleet.common.hosts as usize) }
            </button>
        }
    });
    html! { <span class="slot">{ button }</span> }
}

/// The hosts to choose from.
pub fn chooser(bundle: &Open, choose: &Callback<usize>) -> Html {
    let t = text::t();
    let current = bundle.choosing.unwrap_or(bundle.host);
    let onchange = {
        let choose = choose.clone();
        Callback::from(move |event: Event| {
            if let Ok(index) = event.target_unchecked_into::<HtmlSelectElement>().value().parse() {
                choose.emit(index);
            }
        })
    };
    let options = bundle.hosts.iter().enumerate().map(|(index, name)| {
        let name = name.as_deref().unwrap_or(t.no_name);
        html! { <option key={index} value={index.to_string()} selected={index == current}>{ name }</option> }
    });
    html! {
        <label class="hosts">
            <span>{ (t.hosts_label)(bundle.hosts.len()) }</span>
            <select data-test="host-select" {onchange}>{ for options }</select>
        </label>
    }
}
