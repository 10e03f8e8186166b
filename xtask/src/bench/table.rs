//! The figures as a table for the README.

use super::Options;
use super::measure::Spread;
use std::fs;

/// One figure with its goal.
pub(super) struct Row {
    what: String,
    against: String,
    measured: String,
    goal: String,
    is_met: bool,
}

impl Row {
    /// A ratio that should be small.
    pub(super) fn ratio(what: &str, against: &str, ratio: Spread, goal: f64) -> Self {
        Self::figure(what, against, ratio.to_string(), format!("{goal:.2}"), ratio.median <= goal)
    }

    /// Anything else that should be below a goal.
    pub(super) fn figure(what: &str, against: &str, measured: String, goal: String, is_met: bool) -> Self {
        let row = Self { what: what.into(), against: against.into(), measured, goal, is_met };
        eprintln!("      {}: {}, goal {}", row.what, row.measured, row.goal);
        row
    }

    /// Bytes against other bytes.
    pub(super) fn memory(what: &str, bytes: u64, of: u64, goal: f64) -> Self {
        let ratio = bytes as f64 / of as f64;
        let measured = format!("{ratio:.3} ({} MB of {} MB)", bytes / 1_000_000, of / 1_000_000);
        Self::figure(what, "its uncompressed size", measured, format!("{goal:.2}"), ratio <= goal)
    }
}

/// Prints them, with what a reader needs to judge them.
pub(super) fn print(options: Options, rows: &[Row]) {
    let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("| what | against | median (lowest to highest) | goal: at most |");
    println!("|---|---|---|---|");
    for Row { what, against, measured, goal, is_met } in rows {
        println!("| {what} | {against} | {measured}{} | {goal} |", if *is_met { "" } else { ", missed" });
    }
    println!(
        "\n{} rounds each, in turn; {} processors, load {}",
        options.rounds(),
        std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
        load.split(' ').next().unwrap_or("unknown")
    );
}
