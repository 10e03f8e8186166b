//! What each target was given and took, over all runs.

use crate::spent::Spent;
use anyhow::{Context as _, Result};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// Of one run, or of all runs of a target.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Figures {
    pub(super) cpu: Duration,
    /// Inputs that were run.
    pub(super) inputs: u64,
    /// The most memory of the whole process, libFuzzer's own and all kept inputs included, in KiB.
    pub(super) peak: u64,
    /// CPU time of the slowest input, with counters in the code.
    pub(super) slowest: Duration,
    /// Its length in bytes.
    pub(super) slowest_length: u64,
}

impl Figures {
    /// From libFuzzer's last words, and the file that the target writes: nanoseconds and bytes.
    pub(super) fn of(spent: &Spent, output: &str, slowest: &str) -> Self {
        let inputs = output.lines().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
        let number = |text: Option<&str>| text.and_then(|n| n.trim().parse().ok()).unwrap_or(0);
        let mut words = slowest.split_whitespace();
        Self {
            cpu: spent.cpu,
            inputs: number(inputs),
            peak: spent.peak_bytes >> 10,
            slowest: Duration::from_nanos(number(words.next())),
            slowest_length: number(words.next()),
        }
    }

    fn add(&mut self, other: Self) {
        self.cpu += other.cpu;
        self.inputs += other.inputs;
        self.peak = self.peak.max(other.peak);
        if other.slowest > self.slowest {
            (self.slowest, self.slowest_length) = (other.slowest, other.slowest_length);
        }
    }

    fn to_line(self) -> String {
        let (cpu, slowest) = (self.cpu.as_millis(), self.slowest.as_micros());
        format!("{cpu}\t{}\t{}\t{slowest}\t{}", self.inputs, self.peak, self.slowest_length)
    }

    fn of_line(line: &str) -> Option<Self> {
        let mut numbers = line.split('\t').map(|text| text.parse::<u64>().ok());
        let mut next = || numbers.next().flatten();
        Some(Self {
            cpu: Duration::from_millis(next()?),
            inputs: next()?,
            peak: next()?,
            slowest: Duration::from_micros(next()?),
            slowest_length: next()?,
        })
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { cpu, inputs, peak, slowest, slowest_length } = self;
        write!(
            f,
            "{:.1} CPU minutes, {inputs} inputs, peak memory {} MiB, slowest {:.1} ms ({slowest_length} bytes)",
            cpu.as_secs_f64() / 60.0,
            peak >> 10,
            slowest.as_secs_f64() * 1000.0
        )
    }
}

/// The figures of all targets, in a file.
pub(super) struct Table {
    file: PathBuf,
    targets: BTreeMap<String, Figures>,
}

impl Table {
    /// What earlier runs left; a line that makes no sense is left out.
    pub(super) fn read(file: PathBuf) -> Result<Self> {
        let text = if file.exists() {
            fs::read_to_string(&file).with_context(|| format!("cannot read {}", file.display()))?
        } else {
            String::new()
        };
        let line = |line: &str| {
            let (name, figures) = line.split_once('\t')?;
            Some((name.to_owned(), Figures::of_line(figures)?))
        };
        Ok(Self { file, targets: text.lines().filter_map(line).collect() })
    }

    /// Counts a run, and writes the file at once: a long run may be ended at any time.
    pub(super) fn add(&mut self, target: &str, figures: Figures) -> Result<()> {
        self.targets.entry(target.to_owned()).or_default().add(figures);
        let lines = self.targets.iter().map(|(name, figures)| format!("{name}\t{}\n", figures.to_line()));
        fs::write(&self.file, lines.collect::<String>())
            .with_context(|| format!("cannot write {}", self.file.display()))
    }

    /// For people.
    pub(super) fn text(&self) -> String {
        let lines = self.targets.iter().map(|(name, figures)| format!("{name:14} {figures}\n"));
        format!("All runs so far:\n{}", lines.collect::<String>())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_and_extremes_survive_the_file() {
        let file = std::env::temp_dir().join(format!("ebusy-figures-{}", std::process::id()));
        fs::remove_file(&file).ok();
        let figures = |cpu, slowest| Figures {
            cpu: Duration::from_secs(cpu),
            inputs: 10,
            peak: 100 * cpu,
            slowest: Duration::from_millis(slowest),
            slowest_length: slowest,
        };
        let mut table = Table::read(file.clone()).unwrap();
        table.add("log", figures(1, 7)).unwrap();
        table.add("log", figures(2, 5)).unwrap();
        let again = Table::read(file.clone()).unwrap();
        fs::remove_file(&file).unwrap();
        assert_eq!(again.targets, table.targets);
        let expected = Figures { cpu: Duration::from_secs(3), inputs: 20, peak: 200, ..figures(0, 7) };
        assert_eq!(again.targets["log"], expected);
    }
}
