//! `ebusy analyze`: bundle in, report out.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::process::ExitCode;

use ebusy_analyzer::report::{Report, markdown, text};
use ebusy_analyzer::{Analysis, Query};
use lexopt::{Arg, Parser, ValueExt};

use crate::{Failure, open_input, print_out};

enum Format {
    Text,
    Json,
    Markdown,
}

struct Options {
    bundle: OsString,
    query: Query,
    format: Format,
}

pub(crate) fn run(arguments: Vec<OsString>) -> Result<ExitCode, Failure> {
    let options = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    let input = open_input(&options.bundle)?;
    let analysis = Analysis::open(input, &mut |_| ControlFlow::Continue(()))
        .map_err(|error| Failure::Input(format!("{} {} [{}]", error.message, error.advice, error.code)))?;
    let report = analysis.explain(&options.query);
    print_out(&render(&report, &options.format)?);
    if report.target.found {
        return Ok(ExitCode::SUCCESS);
    }
    // Without a question and without an error in the log, "nothing is wrong" is the answer.
    if options.query == Query::Default && report.bundle.log_lines > 0 {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!("ebusy: {} {}", report.verdict.summary, what_to_ask_for(&analysis));
    Ok(ExitCode::from(3))
}

fn parse(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut bundle, mut query, mut format) = (None, Query::Default, Format::Text);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("id") => query = Query::Text(parser.value()?.string()?),
            Arg::Long("format") => {
                format = match parser.value()?.string()?.as_str() {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    "markdown" | "md" => Format::Markdown,
                    other => {
                        return Err(format!("there is no format '{other}': text, json or markdown").into());
                    }
                }
            }
            Arg::Value(value) if bundle.is_none() => bundle = Some(value),
            other => return Err(other.unexpected()),
        }
    }
    let bundle = bundle.ok_or("name the bundle to analyze, or - for standard input")?;
    Ok(Options { bundle, query, format })
}

fn render(report: &Report, format: &Format) -> Result<String, Failure> {
    match format {
        Format::Text => Ok(text::render(report)),
        Format::Markdown => Ok(markdown::render(report)),
        Format::Json => serde_json::to_string_pretty(report)
            .map(|json| json + "\n")
            .map_err(|e| Failure::Input(format!("the report could not be written as JSON: {e}"))),
    }
}

fn what_to_ask_for(analysis: &Analysis) -> String {
    let overview = analysis.overview();
    let names: Vec<String> = overview
        .containers
        .iter()
        .take(8)
        .map(|c| c.name.clone().unwrap_or_else(|| c.id.chars().take(12).collect()))
        .collect();
    match (names.is_empty(), overview.errors.first()) {
        (_, Some(error)) if overview.errors.len() == 1 => {
            format!("The log has one busy error; leave out --id to explain it: {}", error.line)
        }
        (_, Some(_)) => format!("The log has {} busy errors; leave out --id to explain the latest.", overview.errors.len()),
        (false, None) => format!("Known containers: {}. Or name a path or device with --id.", names.join(", ")),
        (true, None) => "Name a mount path or device that is in the bundle with --id, or check that this is the right host's bundle.".to_owned(),
    }
}
