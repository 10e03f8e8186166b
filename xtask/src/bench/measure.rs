//! Runs commands in turn and tells what they spent.

use crate::spent;
pub(super) use crate::spent::Spent;
use anyhow::{Result, bail};
use std::process::{Command, Stdio};
use std::time::Duration;

/// Runs a command. `grep` says with 1 that it found nothing, which is a result, too.
pub(super) fn run(command: &mut Command) -> Result<Spent> {
    let spent = spent::run(command.stdout(Stdio::null()))?;
    if !matches!(spent.status.code(), Some(0 | 1)) {
        bail!("{} ended with {}", command.get_program().display(), spent.status);
    }
    Ok(spent)
}

/// What two things spent that were run in turn.
#[derive(Default)]
pub(super) struct Pairs {
    ours: Vec<Spent>,
    theirs: Vec<Spent>,
}

impl Pairs {
    /// Runs both `rounds` times, in turn.
    pub(super) fn run(
        rounds: usize,
        mut ours: impl FnMut() -> Result<Spent>,
        mut theirs: impl FnMut() -> Result<Spent>,
    ) -> Result<Self> {
        let mut pairs = Self::default();
        for _ in 0..rounds {
            pairs.ours.push(ours()?);
            pairs.theirs.push(theirs()?);
        }
        Ok(pairs)
    }

    /// Ours by theirs.
    pub(super) fn wall(&self) -> Spread {
        self.ratio(|spent| spent.wall)
    }

    /// The same of the processors' time.
    pub(super) fn cpu(&self) -> Spread {
        self.ratio(|spent| spent.cpu)
    }

    fn ratio(&self, of: impl Fn(&Spent) -> Duration) -> Spread {
        let pairs = self.ours.iter().zip(&self.theirs);
        Spread::of(pairs.map(|(ours, theirs)| of(ours).as_secs_f64() / of(theirs).as_secs_f64().max(1e-6)))
    }

    /// Seconds of ours.
    pub(super) fn ours(&self) -> Spread {
        Spread::of(self.ours.iter().map(|spent| spent.wall.as_secs_f64()))
    }

    /// Seconds of theirs.
    pub(super) fn theirs(&self) -> Spread {
        Spread::of(self.theirs.iter().map(|spent| spent.wall.as_secs_f64()))
    }

    /// Peak memory of ours, in bytes.
    pub(super) fn peak(&self) -> u64 {
        self.ours.iter().map(|spent| spent.peak_bytes).max().unwrap_or_default()
    }
}

/// The run in the middle by its time.
pub(super) fn median(mut spent: Vec<Spent>) -> Spent {
    spent.sort_by_key(|spent| spent.wall);
    spent.get(spent.len() / 2).copied().unwrap_or_default()
}

/// Median of some figures, the lowest and the highest.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Spread {
    pub(super) median: f64,
    lowest: f64,
    highest: f64,
}

impl Spread {
    pub(super) fn of(figures: impl IntoIterator<Item = f64>) -> Self {
        let mut figures: Vec<f64> = figures.into_iter().collect();
        figures.sort_by(f64::total_cmp);
        let at = |index: usize| figures.get(index).copied().unwrap_or(f64::NAN);
        Self { median: at(figures.len() / 2), lowest: at(0), highest: at(figures.len().saturating_sub(1)) }
    }
}

impl std::fmt::Display for Spread {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:.2} ({:.2} to {:.2})", self.median, self.lowest, self.highest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spread_is_told_whatever_the_order() {
        assert_eq!(Spread::of([0.5, 0.25, 4.0]).to_string(), "0.50 (0.25 to 4.00)");
    }

    #[test]
    fn a_command_that_fails_is_no_figure() {
        let sh = |script: &str| run(Command::new("/bin/sh").args(["-c", script]));
        assert!(sh("exit 1").unwrap().peak_bytes > 0);
        assert!(sh("exit 2").is_err());
        assert!(sh("kill -9 $$").is_err());
    }
}
