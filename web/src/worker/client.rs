//! The page's end: one worker for one bundle. Dropping the client ends the worker, at any time.

use super::protocol::{Failure, Request, Response};
use crate::browser::files::Picked;
use crate::browser::thread::{Message, Thread};
use crate::text;
use ebusy_analyzer::json;
use yew::Callback;

/// A worker that holds one bundle.
pub struct Client {
    thread: Thread,
}

impl Client {
    /// Starts a worker and hands it the file; `on_response` hears all that it says.
    ///
    /// # Errors
    /// Where the browser cannot start a worker.
    pub fn open(file: &Picked, on_response: Callback<Response>) -> Result<Self, Failure> {
        let client = Self::start(on_response)?;
        client.hand_over(file)?;
        Ok(client)
    }

    /// The same, and wants the first report as soon as it can be had.
    ///
    /// # Errors
    /// Where the browser cannot start a worker.
    pub fn explain(file: &Picked, on_response: Callback<Response>) -> Result<Self, Failure> {
        let client = Self::start(on_response)?;
        client.ask(&Request::ExplainFirst);
        client.hand_over(file)?;
        Ok(client)
    }

    /// Starts a worker that reads several files one after the other, then answers `request`.
    ///
    /// # Errors
    /// Where the browser cannot start a worker.
    pub fn ask_about(
        files: &[&Picked],
        request: &Request,
        on_response: Callback<Response>,
    ) -> Result<Self, Failure> {
        let (first, others) =
            files.split_first().ok_or_else(|| failure("no-worker", text::t().nothing_open, ""))?;
        let client = Self::open(first, on_response)?;
        for file in others {
            client.hand_over(file)?;
        }
        // What is posted arrives in order, and a file is read to its end before the next message is heard.
        client.ask(request);
        Ok(client)
    }

    fn start(on_response: Callback<Response>) -> Result<Self, Failure> {
        let thread = Thread::start(move |message| on_response.emit(understand(message)))
            .map_err(|reason| failure("no-worker", text::t().no_worker, &reason))?;
        Ok(Self { thread })
    }

    fn hand_over(&self, file: &Picked) -> Result<(), Failure> {
        self.thread.post_file(file).map_err(|reason| failure("no-worker", text::t().no_worker, &reason))
    }

    /// Sends a request. A worker that has ended does not hear it, and its end was told already.
    pub fn ask(&self, request: &Request) {
        if let Ok(json) = serde_json::to_string(request) {
            self.thread.post_text(&json);
        }
    }
}

/// What a message of the worker means.
fn understand(message: Message) -> Response {
    match message {
        Message::Text(text) => json::record(text.as_bytes()).unwrap_or_else(|error| {
            Response::Failed(failure("worker-answer", text::t().worker_answer, &error.to_string()))
        }),
        Message::Crashed(reason) => {
            Response::Failed(failure("worker-crashed", text::t().worker_crashed, &reason))
        }
    }
}

fn failure(code: &str, what: &str, detail: &str) -> Failure {
    let message = if detail.is_empty() { what.to_owned() } else { format!("{what} ({detail})") };
    Failure { code: code.to_owned(), message, advice: text::t().advice_report_fault.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_is_no_json_is_told_not_ignored() {
        let Response::Failed(failure) = understand(Message::Text("{nonsense".into())) else {
            panic!("expected a failure");
        };
        assert_eq!(failure.code, "worker-answer");
    }

    #[test]
    fn a_crash_carries_its_reason() {
        let Response::Failed(failure) = understand(Message::Crashed("unreachable executed".into())) else {
            panic!("expected a failure");
        };
        assert_eq!(failure.code, "worker-crashed");
        assert!(failure.message.contains("unreachable executed"));
    }
}
