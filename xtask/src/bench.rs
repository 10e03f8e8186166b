//! `cargo xtask bench`: what the README says of speed, measured. Only ratios count: what is compared runs in turn, in one
//! run on one machine.

mod analyze;
mod collect;
mod fleet;
mod host;
mod inputs;
mod measure;
mod page;
mod table;

use anyhow::Result;
use std::ffi::OsString;
use std::path::PathBuf;
use table::Row;

/// What to measure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Options {
    /// Everything where nothing is named.
    pub(crate) part: Option<Part>,
    /// The small host only, and fewer rounds: to see whether it still works and where it stands.
    pub(crate) quick: bool,
}

/// A part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// The collector against grep.
    Collect,
    /// `ebusy analyze` against tar and grep.
    Analyze,
    /// The page against the same.
    Page,
    /// Ten thousand bundles: only where it is named, with a table of its own.
    Fleet,
}

impl Part {
    /// The part of that name.
    pub(crate) fn named(name: &OsString) -> Option<Self> {
        match name.to_str()? {
            "collect" => Some(Self::Collect),
            "analyze" => Some(Self::Analyze),
            "page" => Some(Self::Page),
            "fleet" => Some(Self::Fleet),
            _ => None,
        }
    }
}

impl Options {
    fn wants(self, part: Part) -> bool {
        self.part.is_none_or(|wanted| wanted == part)
    }

    /// How often each pair is run.
    fn rounds(self) -> usize {
        if self.quick { 3 } else { 7 }
    }
}

/// What an environment variable names instead of what would be built: to compare with another version.
fn given(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(|path| std::path::absolute(&path).unwrap_or(path.into()))
}

/// Measures and prints a table for the README.
pub(crate) fn run_all(options: Options) -> Result<()> {
    if options.part == Some(Part::Fleet) {
        return fleet::fleet();
    }
    let mut rows: Vec<Row> = Vec::new();
    if options.wants(Part::Analyze) {
        rows.extend(analyze::measure(options)?);
    }
    if options.wants(Part::Page) {
        rows.extend(page::measure(options)?);
    }
    if options.wants(Part::Collect) {
        rows.extend(collect::measure(options)?);
    }
    table::print(options, &rows);
    Ok(())
}
