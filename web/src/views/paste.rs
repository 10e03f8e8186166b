//! Text in place of a file: an error message, or what a command printed.

use super::Acts;
use crate::browser::page;
use crate::text;
use web_sys::HtmlTextAreaElement;
use yew::prelude::*;

/// Properties of [`Paste`].
#[derive(Properties, PartialEq)]
pub struct PasteProps {
    /// What is in the box at first: text that could not be explained is not lost.
    pub draft: AttrValue,
    /// Hear of the text, and of files in the clipboard.
    pub act: Acts,
}

/// The box for text. While it is shown, Ctrl+V anywhere outside of it opens the clipboard at once.
#[component]
pub fn Paste(props: &PasteProps) -> Html {
    let t = text::t();
    let typed = use_state_eq(|| props.draft.to_string());
    use_effect_with(props.act.open.clone(), |open| {
        let zone = page::PasteZone::new(open.clone());
        move || drop(zone)
    });
    let oninput = {
        let typed = typed.clone();
        Callback::from(move |event: InputEvent| {
            typed.set(event.target_unchecked_into::<HtmlTextAreaElement>().value());
        })
    };
    let onclick = {
        let (draft, typed) = (props.act.draft.clone(), typed.clone());
        Callback::from(move |_: MouseEvent| draft.emit((*typed).clone().into()))
    };
    html! {
        <div class="paste-box">
            <label for="paste-input" class="small-title">{ t.paste_title }</label>
            <p id="paste-text" class="muted small">{ t.paste_text }</p>
            <textarea id="paste-input" data-test="paste-input" rows="4" spellcheck="false" autocomplete="off"
                aria-describedby="paste-text" placeholder={t.paste_placeholder} value={(*typed).clone()} {oninput} />
            <button type="button" data-test="paste-submit" disabled={typed.trim().is_empty()} {onclick}>
                { t.paste_submit }
            </button>
        </div>
    }
}
