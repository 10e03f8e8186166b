//! `ebusy analyze --format ndjson`: a line for each host of any number of bundles.

use std::ffi::OsString;
use std::process::ExitCode;

use ebusy_analyzer::Query;
use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::report::Report;
use serde::Serialize;

use crate::fleet::parallel;
use crate::{Failure, print_line};

/// One line. Either there is a report, or there is a failure.
#[derive(Serialize)]
struct Line {
    /// The file, as it was named.
    source: String,
    report: Option<Report>,
    /// Why the file could not be read, with its code and what to do.
    failure: Option<String>,
}

/// Reads the bundles over all cores; the lines come in the order of the bundles. A bundle that cannot be read
/// stops nothing. Ends with 0 where one could be read.
pub(super) fn run(bundles: &[OsString], query: &Query, limits: &Limits) -> ExitCode {
    let mut reports = 0;
    parallel::in_order(bundles, parallel::cores(), &|bundle| lines(bundle, query, limits), &mut |lines| {
        reports += lines.iter().filter(|line| line.report.is_some()).count();
        lines.iter().all(print_line)
    });
    if reports > 0 { ExitCode::SUCCESS } else { ExitCode::from(2) }
}

fn lines(bundle: &OsString, query: &Query, limits: &Limits) -> Vec<Line> {
    let source = bundle.to_string_lossy().into_owned();
    let failed =
        |failure: String| vec![Line { source: source.clone(), report: None, failure: Some(failure) }];
    let mut analysis = match super::open(bundle, limits) {
        Ok(Ok(analysis)) => analysis,
        Ok(Err(error)) => return failed(format!("{} {} [{}]", error.message, error.advice, error.code)),
        Err(Failure::Usage(what) | Failure::Input(what)) => return failed(what),
    };
    let hosts = analysis.hosts().len();
    let of_host = |index| {
        analysis.choose(index);
        Line { source: source.clone(), report: Some(analysis.explain(query)), failure: None }
    };
    (0..hosts).map(of_host).collect()
}
