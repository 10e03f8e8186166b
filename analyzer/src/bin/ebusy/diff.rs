//! `ebusy diff`: two bundles of one host in, what changed out.

use std::ffi::OsString;
use std::process::ExitCode;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::diff::{Diff, of_both, of_censuses, text};
use ebusy_analyzer::report::Report;
use ebusy_analyzer::{Analysis, Query};
use lexopt::{Arg, Parser, ValueExt};

use crate::{Failure, open_analysis, print_out};

struct Options {
    a: OsString,
    b: OsString,
    id: Option<String>,
    json: bool,
}

pub(crate) fn run(arguments: Vec<OsString>, limits: &Limits) -> Result<ExitCode, Failure> {
    let options = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    if options.a == "-" && options.b == "-" {
        return Err(Failure::Usage("only one of the two bundles can come from standard input".to_owned()));
    }
    let (a, b) = (open_analysis(&options.a, limits)?, open_analysis(&options.b, limits)?);
    let (diff, found) = compare(&a, &b, options.id.as_deref());
    print_out(&render(&diff, options.json)?);
    if found {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("ebusy: {} Name a container, path or device with --id, or leave it out.", diff.summary);
    Ok(ExitCode::from(3))
}

fn parse(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut bundles, mut id, mut json) = (Vec::new(), None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("id") => id = Some(parser.value()?.string()?),
            Arg::Long("format") => {
                json = match parser.value()?.string()?.as_str() {
                    "text" => false,
                    "json" => true,
                    other => return Err(format!("there is no format '{other}': text or json").into()),
                }
            }
            Arg::Value(value) if bundles.len() < 2 => bundles.push(value),
            other => return Err(other.unexpected()),
        }
    }
    let mut bundles = bundles.into_iter();
    let (Some(a), Some(b)) = (bundles.next(), bundles.next()) else {
        return Err("name two bundles of one host, the earlier one first".into());
    };
    Ok(Options { a, b, id, json })
}

/// The comparison, and whether what was asked for is in one of the bundles.
fn compare(a: &Analysis, b: &Analysis, id: Option<&str>) -> (Diff, bool) {
    let censuses = (a.census(), b.census());
    let (before, after) = match id {
        Some(id) => {
            let query = Query::Text(id.to_owned());
            (a.explain(&query), b.explain(&query))
        }
        None => default_reports(a, b),
    };
    let found = before.target.found || after.target.found;
    if !found && id.is_none() {
        return (of_censuses(&censuses.0, &censuses.1), true);
    }
    (of_both((&before, &after), (&censuses.0, &censuses.1)), found)
}

/// The latest error of the first bundle is the question to both; where it has none, that of the second.
fn default_reports(a: &Analysis, b: &Analysis) -> (Report, Report) {
    let before = a.explain(&Query::Default);
    if before.target.found {
        let after = b.explain(&question(&before));
        return (before, after);
    }
    let after = b.explain(&Query::Default);
    (a.explain(&question(&after)), after)
}

/// The question that leads to a report's target in another bundle.
fn question(report: &Report) -> Query {
    Query::Text(report.target.container_id.clone().unwrap_or_else(|| report.target.query.clone()))
}

fn render(diff: &Diff, json: bool) -> Result<String, Failure> {
    if !json {
        return Ok(text::render(diff));
    }
    serde_json::to_string_pretty(diff)
        .map(|json| json + "\n")
        .map_err(|e| Failure::Input(format!("the comparison could not be written as JSON: {e}")))
}
