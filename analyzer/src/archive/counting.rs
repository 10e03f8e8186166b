//! Counts the bytes that are read, tells of them, and can be told to stop.

use std::cell::Cell;
use std::io::{BufRead, Error, Read, Result};
use std::ops::ControlFlow;
use std::rc::Rc;

use super::limits::{Limits, met};
use crate::{OpenError, Progress};

/// Progress is told of after so many bytes: often enough for a bar, seldom enough to cost nothing.
const STEP: u64 = 256 << 10;

#[derive(Debug, Default)]
struct Shared {
    bytes: Cell<u64>,
    entries: Cell<u64>,
    stopped: Cell<bool>,
    unpacked: Cell<u64>,
    kept: Cell<u64>,
    limits: Limits,
}

/// What is counted; shared with the walk over the entries.
#[derive(Debug, Clone, Default)]
pub(super) struct State(Rc<Shared>);

impl State {
    pub(super) fn within(limits: Limits) -> Self {
        Self(Rc::new(Shared { limits, ..Shared::default() }))
    }

    pub(super) fn limits(&self) -> &Limits {
        &self.0.limits
    }

    /// Counts a member; an error where it is one too many.
    pub(super) fn count_entry(&self) -> std::result::Result<(), String> {
        self.0.entries.set(self.0.entries.get() + 1);
        let limit = self.limits().members;
        if self.0.entries.get() > limit { Err(met("members", limit)) } else { Ok(()) }
    }

    /// Counts bytes that are handed over; an error where they are too many.
    pub(super) fn keep(&self, bytes: u64) -> std::result::Result<(), String> {
        let limit = self.limits().kept;
        let kept = self.0.kept.get().saturating_add(bytes);
        if kept > limit {
            return Err(met("kept", limit));
        }
        self.0.kept.set(kept);
        Ok(())
    }

    /// Counts what comes out of a reader against the limit of what is unpacked.
    pub(super) fn unpacking<R>(&self, inner: R) -> Unpacking<R> {
        Unpacking { inner, state: self.clone() }
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
    pub(super) fn new(
        inner: R,
        limits: Limits,
        progress: &'p mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Self {
        Self { inner, progress, told: 0, state: State::within(limits) }
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

/// A reader of what was packed.
pub(super) struct Unpacking<R> {
    inner: R,
    state: State,
}

impl<R> Unpacking<R> {
    fn count(&self, bytes: usize) {
        let unpacked = &self.state.0.unpacked;
        unpacked.set(unpacked.get().saturating_add(bytes as u64));
    }

    fn check(&self) -> Result<()> {
        let limit = self.state.limits().unpacked;
        if self.state.0.unpacked.get() > limit { Err(Error::other(met("unpacked", limit))) } else { Ok(()) }
    }
}

impl<R: Read> Read for Unpacking<R> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        let read = self.inner.read(buffer)?;
        self.count(read);
        self.check()?;
        Ok(read)
    }
}

impl<R: BufRead> BufRead for Unpacking<R> {
    fn fill_buf(&mut self) -> Result<&[u8]> {
        self.check()?;
        self.inner.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.count(bytes);
        self.inner.consume(bytes);
    }
}
