//! Counts the bytes that are read, tells of them, and can be told to stop.

use std::cell::Cell;
use std::io::{Error, Read, Result};
use std::ops::ControlFlow;
use std::rc::Rc;

use crate::{OpenError, Progress};

/// Progress is told of after so many bytes: often enough for a bar, seldom enough to cost nothing.
const STEP: u64 = 256 << 10;

#[derive(Debug, Default)]
struct Shared {
    bytes: Cell<u64>,
    entries: Cell<u64>,
    stopped: Cell<bool>,
}

/// What is counted; shared with the walk over the entries.
#[derive(Debug, Clone, Default)]
pub(super) struct State(Rc<Shared>);

impl State {
    pub(super) fn count_entry(&self) {
        self.0.entries.set(self.0.entries.get() + 1);
    }

    pub(super) fn stopped(&self) -> bool {
        self.0.stopped.get()
    }

    /// An error of the very first bytes.
    pub(super) fn open_error(&self, error: &Error) -> OpenError {
        if self.stopped() {
            return cancelled();
        }
        OpenError {
            code: "read-failed",
            message: format!("The input could not be read: {error}."),
            advice: "Check that the file is whole (compare its size and checksum with the sender's) and try again.".into(),
        }
    }
}

pub(super) fn cancelled() -> OpenError {
    OpenError {
        code: "cancelled",
        message: "Reading was stopped.".into(),
        advice: "Open the bundle again to start over.".into(),
    }
}

/// A reader that counts.
pub(super) struct Counting<'p, R> {
    inner: R,
    progress: &'p mut dyn FnMut(Progress) -> ControlFlow<()>,
    told: u64,
    state: State,
}

impl<'p, R> Counting<'p, R> {
    pub(super) fn new(inner: R, progress: &'p mut dyn FnMut(Progress) -> ControlFlow<()>) -> Self {
        Self { inner, progress, told: 0, state: State::default() }
    }

    pub(super) fn state(&self) -> State {
        self.state.clone()
    }
}

impl<R: Read> Read for Counting<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let shared = &self.state.0;
        let n = self.inner.read(buffer)?;
        shared.bytes.set(shared.bytes.get() + n as u64);
        if n == 0 || self.told == 0 || shared.bytes.get() - self.told >= STEP {
            self.told = shared.bytes.get();
            let progress = Progress { bytes: shared.bytes.get(), entries: shared.entries.get() };
            if (self.progress)(progress).is_break() {
                shared.stopped.set(true);
            }
        }
        if shared.stopped.get() { Err(Error::other("stopped")) } else { Ok(n) }
    }
}
