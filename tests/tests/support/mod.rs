//! What the tests of the analyzer's answers share.
#![allow(dead_code, reason = "each test binary uses its part")]

pub(crate) mod cases;
pub(crate) mod real;

use ebusy_analyzer::report::{Effect, Holder, Report};
use ebusy_analyzer::{Analysis, OpenError, Query};
use std::ops::ControlFlow;

/// Reads a bundle.
pub(crate) fn open(bundle: &[u8]) -> Result<Analysis, OpenError> {
    Analysis::open(bundle, &mut |_| ControlFlow::Continue(()))
}

/// The answer for something that somebody typed.
pub(crate) fn ask(bundle: &[u8], query: &str) -> Report {
    open(bundle).expect("a good bundle opens").explain(&Query::Text(query.to_owned()))
}

/// The answer for the first busy error.
pub(crate) fn ask_default(bundle: &[u8]) -> Report {
    open(bundle).expect("a good bundle opens").explain(&Query::Default)
}

/// The holders with an effect.
pub(crate) fn with_effect(report: &Report, effect: Effect) -> Vec<&Holder> {
    report.holders.iter().filter(|holder| holder.effect == effect).collect()
}

/// Pids of every holder that blocks, ascending.
pub(crate) fn blocking_pids(report: &Report) -> Vec<u32> {
    pids(report, Effect::Blocking)
}

/// Pids of every holder with an effect, ascending.
pub(crate) fn pids(report: &Report, effect: Effect) -> Vec<u32> {
    let mut pids: Vec<u32> = with_effect(report, effect).into_iter().flat_map(|h| h.pids.clone()).collect();
    pids.sort_unstable();
    pids.dedup();
    pids
}

/// Everything that the report wants typed, in one string.
pub(crate) fn commands(holder: &Holder) -> String {
    holder.remedies.iter().map(|remedy| remedy.command.as_str()).collect::<Vec<_>>().join("\n")
}
