//! Headings for long steps: which one, of how many, and how long it took.

use anyhow::{Context as _, Result};
use std::time::Instant;

/// A row of steps with a known length.
#[derive(Debug)]
pub(crate) struct Steps {
    total: usize,
    done: usize,
}

impl Steps {
    /// For `total` steps.
    pub(crate) fn new(total: usize) -> Self {
        Self { total, done: 0 }
    }

    /// Runs one step between its heading and the seconds it took. An error carries the step's name.
    pub(crate) fn step<T>(&mut self, name: &str, work: impl FnOnce() -> Result<T>) -> Result<T> {
        self.done += 1;
        let heading = format!("[{}/{}] {name}", self.done, self.total);
        eprintln!("{heading} …");
        let started = Instant::now();
        let result = work().with_context(|| format!("step `{name}`"))?;
        eprintln!("{heading}: {:.1} s", started.elapsed().as_secs_f64());
        Ok(result)
    }
}
