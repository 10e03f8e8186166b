//! One line on a terminal that tells how far it is; nothing anywhere else.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

const EVERY: Duration = Duration::from_millis(100);

#[derive(Debug)]
pub(crate) struct Progress {
    shown: bool,
    last: Option<Instant>,
}

impl Progress {
    pub(crate) fn new(quiet: bool) -> Self {
        Self { shown: !quiet && std::io::stderr().is_terminal(), last: None }
    }

    /// Shows the text, at most ten times a second.
    pub(crate) fn show(&mut self, text: impl FnOnce() -> String) {
        let now = Instant::now();
        if !self.shown || self.last.is_some_and(|last| now - last < EVERY) {
            return;
        }
        self.last = Some(now);
        write!(std::io::stderr(), "\r\x1b[K{}", text()).ok();
    }

    /// Clears the line.
    pub(crate) fn clear(&mut self) {
        if self.shown && self.last.take().is_some() {
            write!(std::io::stderr(), "\r\x1b[K").ok();
        }
    }
}
