//! The worker's own scope: takes files and the page's questions, posts answers.

use super::files::SliceReader;
use super::thrown;
use crate::text;
use crate::worker::host::{Host, sha256};
use crate::worker::protocol::{Failure, Request, Response};
use crate::worker::rehearsal::{ROUNDS, rehearse, rehearse_with};
use ebusy_analyzer::json;
use gloo::timers::callback::Timeout;
use std::cell::Cell;
use std::collections::VecDeque;
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{DedicatedWorkerGlobalScope, File, MessageEvent};

/// In milliseconds: each step costs the page a painting.
const PROGRESS_EVERY: f64 = 50.0;

/// The scope where this runs in a worker, `None` on a page.
pub fn own_scope() -> Option<DedicatedWorkerGlobalScope> {
    js_sys::global().dyn_into().ok()
}

/// Answers the page until it ends this worker.
pub fn serve(scope: &DedicatedWorkerGlobalScope) {
    tell_panics();
    let mut ear = Ear {
        scope: scope.clone(),
        host: Host::default(),
        files: 0,
        file: None,
        hash: None,
        piece_by_piece: None,
        later: VecDeque::new(),
        rehearses: false,
        rehearsals: Rc::default(),
    };
    let on_message =
        Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| ear.hear(event.data()));
    scope.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
    // Lives as long as the worker.
    on_message.forget();
}

/// Understands messages: files, requests as JSON text, and pieces of a file that this worker may not read itself.
struct Ear {
    scope: DedicatedWorkerGlobalScope,
    host: Host,
    /// How many files were handed over.
    files: u32,
    /// The last of them.
    file: Option<File>,
    /// Its SHA-256, where it came piece by piece and cannot be read again.
    hash: Option<Result<String, String>>,
    /// What came so far of a file that comes piece by piece.
    piece_by_piece: Option<Vec<u8>>,
    /// What has to wait until that file is complete.
    later: VecDeque<JsValue>,
    /// Whether the next file is there to be rehearsed with.
    rehearses: bool,
    /// Rehearsals that are still to come; none after the first file that somebody gave.
    rehearsals: Rc<Cell<u32>>,
}

impl Ear {
    fn hear(&mut self, data: JsValue) {
        if let (Some(file), Some(piece)) = (&mut self.piece_by_piece, data.dyn_ref::<js_sys::ArrayBuffer>()) {
            let piece = js_sys::Uint8Array::new(piece);
            let start = file.len();
            file.resize(start + piece.length() as usize, 0);
            piece.copy_to(&mut file[start..]);
            let bytes = file.len() as u64;
            return post(&self.scope, &Response::Progress { bytes, entries: 0 });
        }
        match (data.as_bool(), &self.piece_by_piece) {
            (Some(complete), Some(_)) => self.end_of_pieces(complete),
            (_, Some(_)) => self.later.push_back(data),
            (_, None) => self.understand(data),
        }
    }

    fn understand(&mut self, data: JsValue) {
        let scope = self.scope.clone();
        let told = Cell::new(0.0);
        let mut emit = |response| {
            if !matches!(response, Response::Progress { .. }) || is_due(&told) {
                post(&scope, &response);
            }
        };
        match data.dyn_into::<File>() {
            Ok(file) if std::mem::take(&mut self.rehearses) => {
                if let Ok(reader) = SliceReader::new(file) {
                    rehearse_with(reader);
                }
                self.rehearsals.set(ROUNDS);
                rehearse_on(self.rehearsals.clone());
            }
            Ok(file) => {
                self.rehearsals.set(0);
                self.files += 1;
                self.file = Some(file.clone());
                match SliceReader::new(file) {
                    Ok(reader) => self.host.open(reader, &mut emit),
                    // A worker of a page from file:// may read no file in WebKit; the page itself may.
                    Err(_) => {
                        self.piece_by_piece = Some(Vec::new());
                        // A number can always be cloned: posting does not fail.
                        let _ = self.scope.post_message(&JsValue::from(self.files - 1));
                    }
                }
            }
            Err(other) => match json::record::<Request>(other.as_string().unwrap_or_default().as_bytes()) {
                Ok(Request::Hash) => {
                    let known = self.hash.clone();
                    emit(Response::Hashed(known.unwrap_or_else(|| hash(self.file.as_ref()))));
                }
                Ok(Request::ExplainFirst) => self.host.explain_first(),
                Ok(Request::Rehearse) => self.rehearses = true,
                Ok(request) => emit(self.host.answer(request)),
                Err(error) => emit(Response::Failed(fault("page-request", &error.to_string()))),
            },
        }
    }

    fn end_of_pieces(&mut self, complete: bool) {
        let bytes = self.piece_by_piece.take().unwrap_or_default();
        let scope = self.scope.clone();
        if complete {
            self.hash = Some(sha256(&bytes[..]).map_err(|error| error.to_string()));
            self.host.open(&bytes[..], &mut |response| post(&scope, &response));
        } else {
            post(
                &scope,
                &Response::Failed(fault("no-file-reader", "neither the worker nor the page may read it")),
            );
        }
        drop(bytes);
        while let (Some(next), None) = (self.later.front().cloned(), &self.piece_by_piece) {
            self.later.pop_front();
            self.understand(next);
        }
    }
}

/// Whether the last progress was told some time ago. A clock that was set back does not hold it up.
fn is_due(told: &Cell<f64>) -> bool {
    let now = js_sys::Date::now();
    let due = (now - told.get()).abs() >= PROGRESS_EVERY;
    if due {
        told.set(now);
    }
    due
}

/// Rehearses once and again, as long as nothing else is to be done.
fn rehearse_on(left: Rc<Cell<u32>>) {
    if let Some(fewer) = left.get().checked_sub(1) {
        left.set(fewer);
        rehearse();
        Timeout::new(0, || rehearse_on(left)).forget();
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
