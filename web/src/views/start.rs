//! The start screen: what this is, and the ways in (drop, choose, paste, demo).

use super::Acts;
use super::paste::Paste;
use super::remedies::command;
use super::start_picture::StartPicture;
use crate::browser::files::{self, Picked};
use crate::text;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The one line that a customer runs.
const COLLECT: &str = "sudo ./ebusy-collector";

/// The start screen. `draft` is text that could not be explained before.
pub fn start(draft: &AttrValue, act: &Acts) -> Html {
    let t = text::t();
    let demo = act.demo.reform(|_: MouseEvent| ());
    html! {
        <section class="start" data-test="start" aria-labelledby="start-title">
            <h1 id="start-title">{ t.start_title }</h1>
            <p class="lead">{ t.start_lead }</p>
            <div class="ways-in">
                <div class="drop-box">
                    <p class="drop-text">{ t.drop_bundle }</p>
                    { file_picker(&act.open, t.choose_file, Some("primary")) }
                    <p>
                        { t.demo_text }{ " " }
                        <button type="button" data-test="demo-button" onclick={demo}>{ t.try_demo }</button>
                    </p>
                    <p class="muted small">{ t.what_is_read }</p>
                </div>
                <Paste draft={draft.clone()} act={act.clone()} />
            </div>
            <div class="demo-box">
                <StartPicture />
            </div>
            <div class="how-to">
                <h2>{ t.collect_title }</h2>
                <p>{ t.collect_text }</p>
                { command(COLLECT) }
                <p class="muted small">{ t.collect_note }</p>
            </div>
        </section>
    }
}

/// A file input that looks like a button. The input itself takes keyboard, screen reader and driver.
pub fn file_picker(open: &Callback<Vec<Picked>>, label: &'static str, class: Option<&'static str>) -> Html {
    let onchange = {
        let open = open.clone();
        Callback::from(move |event: Event| {
            let input = event.target_dyn_into::<HtmlInputElement>();
            let files = input.map(|input| files::chosen(&input)).unwrap_or_default();
            if !files.is_empty() {
                open.emit(files);
            }
        })
    };
    html! {
        <label class={classes!("button", class)}>
            <input type="file" multiple=true data-test="file-input" {onchange} />
            <span>{ label }</span>
        </label>
    }
}
