//! The worker's own scope: takes the file and the page's questions, posts answers.

use super::files::SliceReader;
use super::thrown;
use crate::text;
use crate::worker::host::Host;
use crate::worker::protocol::{Failure, Request, Response};
use ebusy_analyzer::json;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, File, MessageEvent};

/// The scope where this runs in a worker, `None` on a page.
pub fn own_scope() -> Option<DedicatedWorkerGlobalScope> {
    js_sys::global().dyn_into().ok()
}

/// Answers the page until it ends this worker.
pub fn serve(scope: &DedicatedWorkerGlobalScope) {
    tell_panics();
    let mut host = Host::default();
    let answering = scope.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        hear(&mut host, event.data(), &mut |response| post(&answering, &response));
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // Lives as long as the worker.
    on_message.forget();
}

fn hear(host: &mut Host, data: JsValue, emit: &mut dyn FnMut(Response)) {
    match data.dyn_into::<File>() {
        Ok(file) => match SliceReader::new(file) {
            Ok(reader) => host.open(reader, emit),
            Err(error) => emit(Response::Failed(fault("no-file-reader", &thrown(&error)))),
        },
        Err(other) => match json::record::<Request>(other.as_string().unwrap_or_default().as_bytes()) {
            Ok(request) => emit(host.answer(request)),
            Err(error) => emit(Response::Failed(fault("page-request", &error.to_string()))),
        },
    }
}

fn post(scope: &DedicatedWorkerGlobalScope, response: &Response) {
    let json = serde_json::to_string(response).or_else(|error| {
        serde_json::to_string(&Response::Failed(fault("worker-answer", &error.to_string())))
    });
    if let Ok(json) = json {
        // Text can always be cloned: posting does not fail.
        let _ = scope.post_message(&JsValue::from_str(&json));
    }
}

/// A panic ends a WebAssembly module without a word: its message is posted first.
fn tell_panics() {
    std::panic::set_hook(Box::new(|info| {
        if let Some(scope) = own_scope() {
            post(&scope, &Response::Failed(fault("worker-crashed", &info.to_string())));
        }
    }));
}

fn fault(code: &str, detail: &str) -> Failure {
    let t = text::t();
    Failure {
        code: code.to_owned(),
        message: format!("{} ({detail})", t.worker_crashed),
        advice: t.advice_report_fault.to_owned(),
    }
}
