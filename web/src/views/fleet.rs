//! Many hosts: what they have in common, and a list of them, worst first.

pub mod common;
pub mod list;

use super::Acts;
use super::parts::{Glyph, icon, prose};
use crate::state::fleet::{Fleet, Place, Stage};
use crate::state::{Action, Open};
use crate::text;
use common::CommonView;
use list::HostList;
use std::rc::Rc;
use yew::prelude::*;

/// Properties of [`FleetView`].
#[derive(Properties, PartialEq)]
pub struct FleetViewProps {
    /// The bundles.
    pub fleet: Rc<Fleet>,
    /// The bundle that is still open.
    pub kept: Option<Rc<Open>>,
    /// What somebody can do.
    pub act: Acts,
}

/// The screen of several bundles.
#[component]
pub fn FleetView(props: &FleetViewProps) -> Html {
    let FleetViewProps { fleet, kept, act } = props;
    let filter = use_state_eq(|| AttrValue::from(""));
    let set_filter = {
        let filter = filter.clone();
        Callback::from(move |wanted: AttrValue| filter.set(wanted))
    };
    let open = {
        let kept = kept.as_ref().and_then(|kept| kept.place).map(|place| place.bundle);
        act.pick.reform(move |place: Place| (place, kept == Some(place.bundle)))
    };
    let (over, known) = (fleet.is_over(), !fleet.rows.is_empty());
    let progress = (!over).then(|| progress(fleet, act));
    let summary = known.then(|| {
        html! {
            <p class="sentence" data-test="fleet-summary">{ prose(&fleet.common.summary) }</p>
        }
    });
    let common = (!fleet.common.holders.is_empty()).then(|| {
        html! {
            <CommonView common={fleet.common.clone()} filter={set_filter.clone()} />
        }
    });
    let list = known.then(|| html! {
        <HostList fleet={fleet.clone()} filter={(*filter).clone()} {set_filter} {open} act={act.clone()} />
    });
    html! {
        <div class="fleet sections" data-test="fleet" data-over={over.to_string()}>
            <section class="section" aria-labelledby="fleet-title">
                <h1 id="fleet-title" data-test="fleet-title">{ (text::t().fleet.title)(fleet.common.hosts as usize) }</h1>
                <div class="slot">{ summary }</div>
                <div class="slot">{ over.then(|| stopped(fleet)) }</div>
                <div class="slot">{ progress }</div>
            </section>
            <div class="slot">{ common }</div>
            <div class="slot">{ list }</div>
        </div>
    }
}

/// How far it is, bundle by bundle, and the ways out.
fn progress(fleet: &Fleet, act: &Acts) -> Html {
    let t = text::t();
    let (done, all) = (fleet.finished(), fleet.bundles.len());
    let stop = act.send.reform(|_: MouseEvent| Action::Stopped(None));
    let running = fleet.reading().into_iter().filter_map(|index| {
        let bundle = fleet.bundles.get(index)?;
        let Stage::Reading(bytes) = bundle.stage else { return None };
        let size = bundle.file.size;
        let skip = act.send.reform(move |_: MouseEvent| Action::Stopped(Some(index)));
        let percent = (bytes.min(size) * 100).checked_div(size).unwrap_or(100);
        Some(html! {
            <li key={index}>
                <span class="file-name">{ &bundle.file.name }</span>
                <span class="muted">{ (t.read_of)(&text::bytes(bytes), &text::bytes(size), percent) }</span>
                <button type="button" class="quiet" aria-label={(t.fleet.stop_this)(&bundle.file.name)} onclick={skip}>
                    { t.fleet.skip }
                </button>
            </li>
        })
    });
    html! {
        <div class="fleet-progress">
            <p role="status" data-test="fleet-progress">{ (t.fleet.reading)(done, all) }</p>
            <progress max={all.to_string()} value={done.to_string()} aria-label={(t.fleet.read_so_far)(done, all)} />
            <ul class="plain">{ for running }</ul>
            <button type="button" data-test="fleet-stop" onclick={stop}>{ t.fleet.stop_rest }</button>
        </div>
    }
}

fn stopped(fleet: &Fleet) -> Html {
    let count = fleet.bundles.iter().filter(|bundle| bundle.stage == Stage::Stopped).count();
    if count == 0 {
        return html! { <span></span> };
    }
    html! { <p class="note">{ icon(Glyph::Warning) }{ " " }{ (text::t().fleet.stopped)(count) }</p> }
}
