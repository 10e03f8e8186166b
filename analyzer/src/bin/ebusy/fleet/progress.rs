//! How far it is, for somebody who watches a terminal; silent anywhere else.

use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// More often only flickers.
const PAUSE: Duration = Duration::from_millis(100);

pub(super) struct Progress {
    total: usize,
    done: usize,
    failed: usize,
    shown: Option<Instant>,
    terminal: bool,
}

impl Progress {
    pub(super) fn new(total: usize) -> Self {
        // Where the answer itself goes to the terminal line by line, the two would mix; it still ends with the answer.
        Self { total, done: 0, failed: 0, shown: None, terminal: std::io::stderr().is_terminal() }
    }

    pub(super) fn one_more(&mut self, failed: bool) {
        self.done += 1;
        self.failed += usize::from(failed);
        if self.terminal && self.shown.is_none_or(|shown| shown.elapsed() >= PAUSE) {
            self.shown = Some(Instant::now());
            let failed =
                if self.failed > 0 { format!(", {} could not be read", self.failed) } else { String::new() };
            self.write(&format!("\r{} of {} bundles{failed}\x1b[K", self.done, self.total));
        }
    }

    /// Leaves an empty line for what comes next.
    pub(super) fn end(&self) {
        if self.terminal && self.shown.is_some() {
            self.write("\r\x1b[K");
        }
    }

    fn write(&self, text: &str) {
        // Progress that nobody can see is no error.
        let _ = std::io::stderr().lock().write_all(text.as_bytes());
    }
}
