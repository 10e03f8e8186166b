//! Copying text.

use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::Closure;
use web_sys::{HtmlElement, HtmlTextAreaElement};
use yew::Callback;

/// Copies `text` and tells `done` whether it worked. Must run within a click or key press.
///
/// The clipboard API is missing on plain http and may be refused by a policy; `execCommand` on a
/// selected text area is then what works everywhere.
pub fn copy(text: String, done: Callback<bool>) {
    let clipboard = gloo::utils::window().navigator().clipboard();
    if clipboard.is_undefined() {
        done.emit(copy_by_selection(&text));
        return;
    }
    let copied = {
        let done = done.clone();
        Closure::once_into_js(move || done.emit(true))
    };
    let refused = Closure::once_into_js({
        let text = text.clone();
        move || done.emit(copy_by_selection(&text))
    });
    // Only one of the two is called; the other's few bytes stay, once for each copy.
    let promise = clipboard.write_text(&text);
    let _ = js_sys::Reflect::get(&promise, &"then".into())
        .ok()
        .and_then(|then| then.dyn_into::<js_sys::Function>().ok())
        .map(|then| then.call2(&promise, &copied, &refused));
}

fn copy_by_selection(text: &str) -> bool {
    let document = gloo::utils::document();
    let Some(area) = document
        .create_element("textarea")
        .ok()
        .and_then(|element| element.dyn_into::<HtmlTextAreaElement>().ok())
    else {
        return false;
    };
    let focused = document.active_element().and_then(|element| element.dyn_into::<HtmlElement>().ok());
    area.set_value(text);
    area.set_class_name("offscreen");
    if gloo::utils::body().append_child(&area).is_err() {
        return false;
    }
    area.select();
    let copied = exec_copy(&document);
    area.remove();
    if let Some(element) = focused {
        let _ = element.focus();
    }
    copied
}

/// `document.execCommand("copy")`; not in web-sys's `Document` type.
fn exec_copy(document: &web_sys::Document) -> bool {
    js_sys::Reflect::get(document, &"execCommand".into())
        .ok()
        .and_then(|command| command.dyn_into::<js_sys::Function>().ok())
        .and_then(|command| command.call1(document, &"copy".into()).ok())
        .is_some_and(|result| result.is_truthy())
}
