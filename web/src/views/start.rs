//! The start screen: what this is, and the three ways in (drop, choose, demo).

use super::parts::Copy;
use crate::browser::files::{self, Picked};
use crate::text;
use web_sys::HtmlInputElement;
use yew::prelude::*;

/// The one line that a customer runs.
const COLLECT: &str = "sudo ./ebusy-collector";

/// Properties of [`Start`].
#[derive(Properties, PartialEq)]
pub struct StartProps {
    /// A bundle was chosen.
    pub open: Callback<(Picked, u32)>,
    /// The demo is wanted.
    pub demo: Callback<()>,
}

/// The start screen.
#[component]
pub fn Start(props: &StartProps) -> Html {
    let t = text::t();
    let demo = props.demo.reform(|_: MouseEvent| ());
    html! {
        <section class="start" data-test="start" aria-labelledby="start-title">
            <h1 id="start-title">{ t.start_title }</h1>
            <p class="lead">{ t.start_lead }</p>
            <div class="ways-in">
                <div class="drop-box">
                    <p class="drop-text">{ t.drop_bundle }</p>
                    <FilePicker open={props.open.clone()} label={t.choose_file} primary=true />
                    <p class="muted small">{ t.what_is_read }</p>
                </div>
                <div class="demo-box">
                    <p>{ t.demo_text }</p>
                    <button type="button" data-test="demo-button" onclick={demo}>{ t.try_demo }</button>
                </div>
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

/// Properties of [`FilePicker`].
#[derive(Properties, PartialEq)]
pub struct FilePickerProps {
    /// A file was chosen.
    pub open: Callback<(Picked, u32)>,
    /// What the button says.
    pub label: &'static str,
    /// Whether it is the main thing to do.
    #[prop_or_default]
    pub primary: bool,
}

/// A file input that looks like a button. The input itself takes keyboard, screen reader and driver.
#[component]
pub fn FilePicker(props: &FilePickerProps) -> Html {
    let onchange = {
        let open = props.open.clone();
        Callback::from(move |event: Event| {
            if let Some(file) =
                event.target_dyn_into::<HtmlInputElement>().and_then(|input| files::chosen(&input))
            {
                open.emit(file);
            }
        })
    };
    html! {
        <label class={classes!("button", props.primary.then_some("primary"))}>
            <input type="file" data-test="file-input" {onchange} />
            <span>{ props.label }</span>
        </label>
    }
}
