//! `ebusy analyze`: bundle in, report out.

use std::ffi::OsString;
use std::ops::ControlFlow;
use std::process::ExitCode;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::report::{Report, markdown, text};
use ebusy_analyzer::{Analysis, OpenError, Query};
use lexopt::{Arg, Parser, ValueExt};

use crate::{Failure, directory, open_input, print_out};

enum Format {
    Text,
    Json,
    Markdown,
}

struct Options {
    bundle: OsString,
    query: Query,
    host: Option<String>,
    format: Format,
}

pub(crate) fn run(arguments: Vec<OsString>, limits: &Limits) -> Result<ExitCode, Failure> {
    let options = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    let mut analysis = open(&options.bundle, limits)?
        .map_err(|error| Failure::Input(format!("{} {} [{}]", error.message, error.advice, error.code)))?;
    choose_host(&mut analysis, &options)?;
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

/// A file, standard input, or a directory with what an archive would hold.
fn open(name: &OsString, limits: &Limits) -> Result<Result<Analysis, OpenError>, Failure> {
    let path = std::path::Path::new(name);
    if name != "-" && path.is_dir() {
        return directory::open(path, limits);
    }
    let input = open_input(name)?;
    Ok(Analysis::open_within(input, limits, &mut |_| ControlFlow::Continue(())))
}

/// An archive of several hosts: the one that was named, or the only one that knows what was asked for.
fn choose_host(analysis: &mut Analysis, options: &Options) -> Result<(), Failure> {
    let names: Vec<String> = analysis.hosts().into_iter().flatten().collect();
    let list = || {
        format!(
            "The archive has: {}.",
            if names.is_empty() { "one host without a name".into() } else { names.join(", ") }
        )
    };
    if let Some(host) = &options.host {
        return if analysis.choose_host(host) {
            Ok(())
        } else {
            Err(Failure::Input(format!("there is no host '{host}'. {}", list())))
        };
    }
    if analysis.hosts().len() < 2 {
        return Ok(());
    }
    match &analysis.hosts_with(&options.query)[..] {
        [only] => {
            analysis.choose_host(only);
            Ok(())
        }
        [] => Err(Failure::Input(format!(
            "none of the hosts knows what was asked for. {} Choose one with --host.",
            list()
        ))),
        several => Err(Failure::Input(format!(
            "{} hosts fit: {}. Choose one with --host. {}",
            several.len(),
            several.join(", "),
            list()
        ))),
    }
}

fn parse(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut bundle, mut query, mut host, mut format) = (None, Query::Default, None, Format::Text);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("id") => query = Query::Text(parser.value()?.string()?),
            Arg::Long("host") => host = Some(parser.value()?.string()?),
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
    Ok(Options { bundle, query, host, format })
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
