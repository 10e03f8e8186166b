//! The picture: one lane for each mount namespace, the target's mount in it, and how a umount travels
//! between them.
//!
//! [`relation`] says what connects two namespaces, [`groups`] which of many are folded, [`layout`] turns a report
//! into geometry for a given width (all pure), [`drawing`] draws that as SVG, [`evidence`] shows what a chosen lane
//! rests on. The width is that of the place it stands in, so that its text is as large as all other text on a
//! telephone and on a wide screen.

mod drawing;
mod evidence;
pub mod groups;
pub mod layout;
pub mod relation;
mod words;

use super::destination::use_destination;
use crate::browser::page::{self, WidthWatch};
use crate::browser::picture_file;
use crate::text;
use crate::views::parts::prose;
use drawing::Chosen;
use ebusy_analyzer::report::{NamespaceView, Report};
use evidence::LaneEvidence;
use layout::Form;
use std::collections::BTreeSet;
use std::rc::Rc;
use yew::prelude::*;

/// Width until the real one is known, in CSS pixels.
const FIRST_WIDTH: f64 = 960.0;

/// Whether there is anything to see: a mount of the target, or a namespace that holds it otherwise.
pub fn is_telling(report: &Report) -> bool {
    report.namespaces.iter().any(|view| !view.mounts.is_empty() || view.effect.is_some())
}

/// Properties of [`PictureView`].
#[derive(Properties, PartialEq)]
pub struct PictureViewProps {
    /// The report.
    pub report: Rc<Report>,
}

/// The picture with its legend and the sentences that explain it.
#[component]
pub fn PictureView(props: &PictureViewProps) -> Html {
    let t = text::t();
    let report = &props.report;
    let frame = use_node_ref();
    let width = use_width(&frame);
    let open = use_state_eq(BTreeSet::<usize>::new);
    let picked = use_state_eq(|| None::<usize>);
    let active = use_state_eq(|| 0_usize);
    let scene = layout::scene(&report.namespaces, &report.holders, width, &open);
    let place = use_destination();

    let forms: Vec<(usize, Form)> = scene.lanes.iter().map(|lane| (lane.index, lane.form)).collect();
    let choose = {
        let (open, picked, active) = (open.clone(), picked.clone(), active.clone());
        Callback::from(move |position: usize| {
            active.set(position);
            match forms.get(position) {
                Some((index, Form::Single)) => picked.set((*picked != Some(*index)).then_some(*index)),
                Some((index, _)) => {
                    let mut next = (*open).clone();
                    if !next.remove(index) {
                        next.insert(*index);
                    }
                    open.set(next);
                }
                None => {}
            }
        })
    };
    let walk = {
        let (active, last) = (active.clone(), scene.lanes.len().saturating_sub(1));
        Callback::from(move |position: usize| {
            let position = position.min(last);
            active.set(position);
            page::focus_by_id(&drawing::button_id(position));
        })
    };
    let chosen = Chosen { picked: *picked, active: (*active).min(scene.lanes.len().saturating_sub(1)) };
    let panel = picked.and_then(|index| Some((index, report.namespaces.get(index)?))).map(|(index, view)| {
        let close = picked.clone();
        html! {
            <LaneEvidence key={index} report={report.clone()} {index} go={place.go.clone()}
                holder={holder_of(report, view)} close={Callback::from(move |()| close.set(None))} />
        }
    });
    let hint = panel.is_none().then(|| html! { <p class="muted small picture-hint">{ t.picture_hint }</p> });
    html! {
        <section class="section" aria-labelledby="picture-title">
            <h2 id="picture-title">{ t.picture_title }</h2>
            <p class="muted">{ t.picture_text }</p>
            <div class="picture" ref={frame.clone()} data-test="picture">
                { drawing::drawing(&scene, &report.namespaces, chosen, &choose, &walk) }
            </div>
            { drawing::legend(&scene) }
            <div class="slot">{ hint }</div>
            <div class="slot" aria-live="polite">{ panel }</div>
            { save_buttons(&frame, report) }
            <div class="slot">{ why(report, &scene) }</div>
        </section>
    }
}

/// The holder that a lane is about, by its index in the report.
fn holder_of(report: &Report, view: &NamespaceView) -> Option<usize> {
    let inode = view.inode?;
    report.holders.iter().position(|holder| holder.mount_namespace == Some(inode))
}

fn save_buttons(frame: &NodeRef, report: &Rc<Report>) -> Html {
    let t = text::t();
    let save = |png: bool| {
        let (frame, report) = (frame.clone(), report.clone());
        Callback::from(move |_: MouseEvent| save(&frame, &report, png))
    };
    html! {
        <div class="share picture-share">
            <button type="button" class="copy" data-test="save-svg" onclick={save(false)}>{ t.save_svg }</button>
            <button type="button" class="copy" data-test="save-png" onclick={save(true)}>{ t.save_png }</button>
        </div>
    }
}

fn save(frame: &NodeRef, report: &Report, png: bool) {
    if let Some(svg) = frame.cast::<web_sys::Element>().and_then(|frame| frame.first_element_child()) {
        let name = super::share::file_name(report, if png { "png" } else { "svg" });
        picture_file::save(&svg, &name, png);
    }
}

/// The width of the element behind `frame`, in whole units of the picture: CSS pixels where the page's letters have
/// their usual size, larger where those are, so that the picture's grow with them.
#[hook]
fn use_width(frame: &NodeRef) -> f64 {
    let width = use_state_eq(|| FIRST_WIDTH);
    let setter = width.setter();
    use_effect_with(frame.clone(), move |frame| {
        let changed = Callback::from(move |width: f64| {
            if width > 0.0 {
                setter.set((width / page::scale()).floor());
            }
        });
        let watch = frame.cast::<web_sys::Element>().and_then(|element| WidthWatch::new(&element, changed));
        move || drop(watch)
    });
    *width
}

/// The report's sentences on propagation, less those that stand in the picture already.
fn why(report: &Report, scene: &layout::Scene) -> Option<Html> {
    let drawn = |sentence: &&String| {
        let full = scene.lanes.iter().filter(|lane| lane.form == Form::Single && !lane.is_row());
        full.filter_map(|lane| report.namespaces.get(lane.index)).any(|view| view.propagation == **sentence)
    };
    let items: Vec<Html> = report
        .propagation
        .iter()
        .filter(|sentence| !drawn(sentence))
        .take(SENTENCES)
        .enumerate()
        .map(|(index, sentence)| html! { <li key={index}>{ prose(sentence) }</li> })
        .collect();
    (!items.is_empty()).then(|| {
        html! {
            <div>
                <h3>{ text::t().why_title }</h3>
                <ul class="sentences">{ for items }</ul>
            </div>
        }
    })
}

/// Sentences below the picture; the evidence of each lane has its own.
const SENTENCES: usize = 4;

/// The picture without anything to choose, for the start screen.
#[component]
pub fn StillPicture(props: &StillPictureProps) -> Html {
    let frame = use_node_ref();
    let width = use_width(&frame);
    let scene = layout::scene(&props.spaces, &[], width, &BTreeSet::new());
    html! {
        <div class="picture" ref={frame} data-test="start-picture">
            { drawing::still(&scene, &props.spaces) }
        </div>
    }
}

/// Properties of [`StillPicture`].
#[derive(Properties, PartialEq)]
pub struct StillPictureProps {
    /// What it shows.
    pub spaces: Rc<[NamespaceView]>,
}
