//! The worker's own scope: takes the file and the page's questions, posts answers.

use super::files::SliceReader;
use super::thrown;
use crate::text;
use crate::worker::host::{Host, sha256};
use crate::worker::protocol::{Failure, Request, Response};
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
    let mut file = None;
    let answering = scope.clone();
    let on_message = Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
        hear(&mut host, &mut file, event.data(), &mut |response| post(&answering, &response));
    });
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // Lives as long as the worker.
    on_message.forget();
}

fn hear(host: &mut Host, kept: &mut Option<File>, data: JsValue, emit: &mut dyn FnMut(Response)) {
    match data.dyn_into::<File>() {
        Ok(file) => {
            *kept = Some(file.clone());
            match SliceReader::new(file) {
                Ok(reader) => host.open(reader, emit),
                Err(error) => emit(Response::Failed(fault("no-file-reader", &thrown(&error)))),
            }
        }
        Err(other) => match serde_json::from_str::<Request>(&other.as_string().unwrap_or_default()) {
            Ok(Request::Hash) => emit(Response::Hashed(hash(kept.as_ref()))),
            Ok(request) => emit(host.answer(request)),
            Err(error) => emit(Response::Failed(fault("page-request", &error.to_string()))),
        },
    }
}

/// Reads the file once more: nearly nobody wants its hash, so nobody waits for it while it is read.
fn hash(file: Option<&File>) -> Result<String, String> {
    let file = file.ok_or_else(|| text::t().nothing_open.to_owned())?;
    let reader = SliceReader::new(file.clone()).map_err(|error| thrown(&error))?;
    sha256(reader).map_err(|error| error.to_string())
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
