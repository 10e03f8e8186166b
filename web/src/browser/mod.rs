//! The only place that touches JavaScript: `JsValue` and `web_sys` types stay in here, so that all
//! else runs and is tested natively.

pub mod address;
pub mod boot;
pub mod clipboard;
pub mod clock;
pub mod files;
pub mod letters;
pub mod library;
pub mod own_file;
pub mod page;
pub mod picture_file;
pub mod storage;
pub mod thread;
pub mod worker_scope;

use wasm_bindgen::{JsCast, JsValue};

/// A thrown JavaScript value as text.
fn thrown(value: &JsValue) -> String {
    value
        .dyn_ref::<js_sys::Error>()
        .map(|error| String::from(error.message()))
        .or_else(|| value.as_string())
        .unwrap_or_else(|| format!("{value:?}"))
}
