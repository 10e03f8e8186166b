//! A web worker as seen from the page.

use super::boot::new_worker;
use super::files::Picked;
use super::thrown;
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
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_error: Closure<dyn FnMut(Event)>,
}

impl Thread {
    /// Starts a worker with this same module.
    ///
    /// # Errors
    /// Where the browser refuses one, in its words.
    pub fn start(hear: impl Fn(Message) + Clone + 'static) -> Result<Self, String> {
        let worker = new_worker().map_err(|error| thrown(&error))?;
        let on_message = {
            let hear = hear.clone();
            Closure::<dyn FnMut(MessageEvent)>::new(move |event: MessageEvent| {
                if let Some(text) = event.data().as_string() {
                    hear(Message::Text(text));
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
        Ok(Self { worker, _on_message: on_message, _on_error: on_error })
    }

    /// Hands over a file (the handle, not its bytes).
    ///
    /// # Errors
    /// Where the file cannot be handed over, in the words of the browser.
    pub fn post_file(&self, file: &Picked) -> Result<(), String> {
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
