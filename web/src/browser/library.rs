//! The analyzer for other programs in JavaScript, where there is neither page nor worker: Node, a bundler's output.

use crate::worker::protocol::Failure;
use ebusy_analyzer::{Analysis, Query};
use std::ops::ControlFlow;
use wasm_bindgen::prelude::{JsValue, wasm_bindgen};

/// Explains what `question` names in a bundle (an id, name, path or device; nothing: the latest busy error).
/// Gives a report, `ebusy.report/1`, as JSON text.
///
/// # Errors
/// Where nothing of a host is in it: JSON text with `code`, `message` and `advice`.
#[wasm_bindgen]
pub fn analyze(bundle: &[u8], question: Option<String>) -> Result<String, JsValue> {
    let analysis =
        Analysis::open(bundle, &mut |_| ControlFlow::Continue(())).map_err(|e| refusal(&e.into()))?;
    let query = question.map_or(Query::Default, Query::Text);
    let report = analysis.explain(&query);
    serde_json::to_string(&report).map_err(|error| JsValue::from_str(&error.to_string()))
}

fn refusal(failure: &Failure) -> JsValue {
    JsValue::from_str(&serde_json::to_string(failure).unwrap_or_default())
}

/// Whether there is a page to show anything on.
pub fn has_page() -> bool {
    web_sys::window().is_some()
}
