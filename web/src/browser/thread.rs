//! A web worker as seen from the page.

use super::boot::{demo, new_worker};
use super::files::{Picked, read_in_pieces};
use super::thrown;
use crate::worker::protocol::Request;
use gloo::timers::callback::Timeout;
use std::cell::{Cell, RefCell};
use std::rc::Rc;
use wasm_bindgen::JsCast;
use wasm_bindgen::prelude::{Closure, JsValue};
use web_sys::{ErrorEvent, Event, MessageEvent, Worker};

/// What a worker says.
pub enum Message {
    /// Text that it posted.
    Text(String),
    /// It ended by itself, with what the browser tells of it.
    Crashed(String),
}

/// A running worker. Dropping it ends the worker and silences it.
pub struct Thread {
    worker: Worker,
    files: Rc<RefCell<Vec<Picked>>>,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

impl Thread {
    /// Starts a worker with this same module, or takes the one that is warm.
    ///
    /// # Errors
    /// Where the browser refuses one, in its words.
    pub fn start(hear: impl Fn(Message) + Clone + 'static) -> Result<Self, String> {
        let worker = spare::take().map_or_else(new_worker, Ok).map_err(|error| thrown(&error))?;
        spare::warm_in(spare::AFTER_A_FILE);
        let files = Rc::new(RefCell::new(Vec::<Picked>::new()));
        let on_message = {
            let (hear, worker, files) = (hear.clone(), worker.clone(), files.clone());
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(text) = event.data().as_string() {
                    hear(Message::Text(text));
                } else if let Some(index) = event.data().as_f64() {
                    // It may not read this file itself.
                    let file = files.borrow().get(index as usize).cloned();
                    hand_over_in_pieces(worker.clone(), file);
                }
            })
        };
        let on_error = Closure::<dyn FnMut(Event)>::new(move |event: Event| {
            event.prevent_default();
            let reason = event.dyn_ref::<ErrorEvent>().map(ErrorEvent::message).unwrap_or_default();
            hear(Message::Crashed(reason));
        });
        worker.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Ok(Self { worker, files, _on_message: on_message, _on_error: on_error })
    }

    /// Hands over a file (the handle, not its bytes).
    ///
    /// # Errors
    /// Where the file cannot be handed over, in the words of the browser.
    pub fn post_file(&self, file: &Picked) -> Result<(), String> {
        self.files.borrow_mut().push(file.clone());
        self.post(file.as_js()).map_err(|error| thrown(&error))
    }

    /// Posts text. Text can always be cloned, so this does not fail.
    pub fn post_text(&self, text: &str) {
        let posted = self.post(&JsValue::from_str(text));
        debug_assert!(posted.is_ok(), "text was not posted");
    }

    fn post(&self, value: &JsValue) -> Result<(), JsValue> {
        self.worker.post_message(value)
    }
}

impl Drop for Thread {
    fn drop(&mut self) {
        // A message that is already queued must not call into the closures that go away with this.
        self.worker.set_onmessage(None);
        self.worker.set_onerror(None);
        self.worker.terminate();
    }
}

/// Reads a file on the page and posts its pieces, then whether it was all. A worker that was ended hears nothing.
fn hand_over_in_pieces(worker: Worker, file: Option<Picked>) {
    wasm_bindgen_futures::spawn_local(async move {
        let complete = match &file {
            Some(file) => {
                let post = |piece: js_sys::ArrayBuffer| {
                    // A buffer can always be handed over.
                    let _ = worker.post_message_with_transfer(&piece, &js_sys::Array::of1(&piece));
                };
                read_in_pieces(file, post).await
            }
            None => false,
        };
        let _ = worker.post_message(&JsValue::from_bool(complete));
    });
}

/// One worker more than is needed, with the module in it already: who drops a file does not wait for it.
mod spare {
    use super::{Cell, Closure, Event, JsCast, JsValue, RefCell, Request, Timeout, Worker, demo, new_worker};

    /// In milliseconds: after what somebody waits for, the page or what is said of a file.
    pub(super) const AFTER_THE_PAGE: u32 = 400;
    pub(super) const AFTER_A_FILE: u32 = 3000;

    struct Spare {
        worker: Worker,
        _on_error: Closure<dyn FnMut(Event)>,
    }

    thread_local! {
        static SPARE: RefCell<Option<Spare>> = const { RefCell::new(None) };
        /// Whether a worker has read something: what it has made ready of the module is there for all of them.
        static HAS_READ: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn take() -> Option<Worker> {
        HAS_READ.set(true);
        SPARE.with_borrow_mut(Option::take).map(|spare| {
            spare.worker.set_onerror(None);
            spare.worker
        })
    }

    /// Makes one in a while, where there is none. Where the browser refuses, who needs one is told then.
    pub(super) fn warm_in(milliseconds: u32) {
        Timeout::new(milliseconds, || {
            SPARE.with_borrow_mut(|spare| {
                if spare.is_none() {
                    *spare = new_worker().ok().map(watched);
                    if let Some(Spare { worker, .. }) = spare
                        && !HAS_READ.replace(true)
                        && let Ok(request) = serde_json::to_string(&Request::Rehearse)
                        && let Ok(demo) = demo()
                    {
                        // Text and files can always be cloned: posting does not fail.
                        let _ = worker.post_message(&JsValue::from_str(&request));
                        let _ = worker.post_message(demo.as_js());
                    }
                }
            });
        })
        .forget();
    }

    /// One that breaks while nobody listens is not handed out.
    fn watched(worker: Worker) -> Spare {
        let on_error = Closure::<dyn FnMut(Event)>::new(|event: Event| {
            event.prevent_default();
            SPARE.with_borrow_mut(|spare| *spare = None);
        });
        worker.set_onerror(Some(on_error.as_ref().unchecked_ref()));
        Spare { worker, _on_error: on_error }
    }
}

/// Has a worker made ready for the first file.
pub fn warm() {
    spare::warm_in(spare::AFTER_THE_PAGE);
}
