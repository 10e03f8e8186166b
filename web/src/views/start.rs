//! The start screen: what this is, and the ways in (drop, choose, paste, demo).

use super::parts::Copy;
use super::paste::Paste;
use super::start_picture::StartPicture;
use crate::browser::files::{self, Picked};
use crate::text;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The one line that a customer runs.
const COLLECT: &str = "sudo ./ebusy-collector";

/// The start screen. `open` hears of a chosen bundle, `demo` of the wish for the built-in one.
pub fn start(open: &Callback<(Picked, u32)>, demo: &Callback<()>) -> Html {
    let t = text::t();
    let demo = demo.reform(|_: MouseEvent| ());
    html! {
        <section class="start" data-test="start" aria-labelledby="start-title">
            <h1 id="start-title">{ t.start_title }</h1>
            <p class="lead">{ t.start_lead }</p>
            <div class="ways-in">
                <div class="drop-box">
                    <p class="drop-text">{ t.drop_bundle }</p>
                    { file_picker(open, t.choose_file, Some("primary")) }
                    <p class="muted small">{ t.what_is_read }</p>
                </div>
                <Paste open={open.clone()} />
            </div>
            <div class="demo-box">
                <StartPicture />
                <p>
                    { t.demo_text }{ " " }
                    <button type="button" data-test="demo-button" onclick={demo}>{ t.try_demo }</button>
                </p>
            </div>
            <div class="how-to">
                <h2>{ t.collect_title }</h2>
                <p>{ t.collect_text }</p>
                <div class="command">
                    <pre><code>{ COLLECT }</code></pre>
                    <Copy value={COLLECT} />
                </div>
                <p class="muted small">{ t.collect_note }</p>
            </div>
        </section>
    }
}

/// A file input that looks like a button. The input itself takes keyboard, screen reader and driver.
pub fn file_picker(open: &Callback<(Picked, u32)>, label: &'static str, class: Option<&'static str>) -> Html {
    let onchange = {
        let open = open.clone();
        Callback::from(move |event: Event| {
            if let Some(file) =
                event.target_dyn_into::<HtmlInputElement>().and_then(|input| files::chosen(&input))
            {
                open.emit(file);
            }
        })
    };
    html! {
        <label class={classes!("button", class)}>
            <input type="file" data-test="file-input" {onchange} />
            <span>{ label }</span>
        </label>
    }
}
