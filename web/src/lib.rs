//! The page: takes a bundle, has it analysed in a worker, shows the report. It decides nothing.
//!
//! | what | module |
//! |---|---|
//! | what the page knows, and how that changes (pure) | [`state`] |
//! | page ↔ worker: messages, the page's end, the worker's end | [`worker`] |
//! | everything that touches JavaScript | [`browser`] |
//! | what is shown, screen by screen | [`views`] |
//! | every sentence that a user reads | [`text`] |
//! | what a reader prefers: language, colours, time zone | [`preferences`] |
//! | wiring of the above | [`app`] |
//!
//! # Rules of the views
//! - No `style=` attribute: the page's policy allows the one style sheet only. Geometry of the picture
//!   stands in SVG attributes.
//! - A component never renders nothing, a conditional stands inside an element of its own, and every
//!   list is keyed (yewstack/yew#4092: yew 0.23.0 fails to insert a node next to an empty component).
//! - Bundles are hostile text: it is shown through yew's text nodes and attributes only, never as HTML.

pub mod app;
pub mod browser;
pub mod preferences;
#[cfg(test)]
pub mod sample;
pub mod state;
pub mod text;
pub mod views;
pub mod worker;

use wasm_bindgen::prelude::wasm_bindgen;

/// Entry of the module. Page and worker run the same one: in a page it shows the app, in a worker it
/// serves the analyzer; elsewhere it waits to be called ([`browser::library`]).
#[wasm_bindgen(start)]
pub fn start() {
    if let Some(scope) = browser::worker_scope::own_scope() {
        browser::worker_scope::serve(&scope);
    } else if browser::library::has_page() {
        browser::boot::show_failures_of_the_page();
        browser::boot::mount::<app::App>();
    }
}
