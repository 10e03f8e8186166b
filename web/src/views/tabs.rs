//! The sides of a host, after the ARIA authoring practices: arrow keys go from one to the next.

use super::Acts;
use crate::browser::page;
use crate::state::{Action, Open, Tab};
use crate::text;
use yew::prelude::*;

const ALL: [Tab; 4] = [Tab::Report, Tab::Census, Tab::Containers, Tab::Mounts];

/// Name of a side in attributes.
fn name(tab: Tab) -> &'static str {
    match tab {
        Tab::Report => "report",
        Tab::Census => "census",
        Tab::Containers => "containers",
        Tab::Mounts => "mounts",
    }
}

/// The tabs.
pub fn tabs(bundle: &Open, act: &Acts) -> Html {
    let t = text::t();
    let label = |tab: Tab| match tab {
        Tab::Report => t.fleet.tab_report.to_owned(),
        Tab::Census => {
            let groups = bundle.census.as_ref().map(|census| census.total_groups as usize);
            (t.fleet.tab_census)(groups)
        }
        Tab::Containers => (t.fleet.tab_containers)(bundle.overview.containers.len()),
        Tab::Mounts => t.tree_tab.to_owned(),
    };
    let current = bundle.tab;
    let send = act.send.clone();
    let onkeydown = Callback::from(move |event: KeyboardEvent| {
        let at = ALL.iter().position(|tab| *tab == current).unwrap_or_default();
        let to = match event.key().as_str() {
            "ArrowRight" => (at + 1) % ALL.len(),
            "ArrowLeft" => (at + ALL.len() - 1) % ALL.len(),
            "Home" => 0,
            "End" => ALL.len() - 1,
            _ => return,
        };
        event.prevent_default();
        if let Some(tab) = ALL.get(to) {
            page::focus_by_id(&format!("tab-{}", name(*tab)));
            send.emit(Action::TabChosen(*tab));
        }
    });
    let buttons = ALL.into_iter().map(|tab| {
        let (name, selected) = (name(tab), tab == current);
        let onclick = act.send.reform(move |_: MouseEvent| Action::TabChosen(tab));
        html! {
            <button key={name} type="button" role="tab" id={format!("tab-{name}")} data-test={format!("tab-{name}")}
                aria-selected={selected.to_string()} aria-controls={format!("panel-{name}")}
                tabindex={if selected { "0" } else { "-1" }} {onclick}>
                { label(tab) }
            </button>
        }
    });
    html! {
        <div class="tabs" role="tablist" aria-label={t.fleet.tabs} {onkeydown}>{ for buttons }</div>
    }
}

/// The panel of a tab; hidden where another one is chosen.
pub fn panel(tab: Tab, bundle: &Open, content: Html) -> Html {
    let name = name(tab);
    html! {
        <div id={format!("panel-{name}")} role="tabpanel" aria-labelledby={format!("tab-{name}")}
            hidden={bundle.tab != tab}>
            { content }
        </div>
    }
}
