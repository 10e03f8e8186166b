//! `ebusy fleet`: many bundles in, one line a host out, and what the hosts have in common.

mod html;
pub(crate) mod inputs;
pub(crate) mod parallel;
mod progress;
mod table;

use std::ffi::OsString;
use std::process::ExitCode;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::fleet::{Fleet, HostLine, Tally, markdown, text};
use lexopt::{Arg, Parser, ValueExt};
use serde::Serialize;

use crate::{Failure, analyze, print_line, print_out, share};
use inputs::Inputs;
use progress::Progress;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Ndjson,
    Markdown,
    Html,
    Parquet,
}

struct Options {
    inputs: Vec<OsString>,
    format: Format,
    jobs: usize,
    with_bundle: bool,
    page: Option<String>,
}

pub(crate) fn run(arguments: Vec<OsString>, limits: &Limits) -> Result<ExitCode, Failure> {
    let options = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    let Inputs { bundles, left_out } = inputs::find(&options.inputs)?;
    if options.with_bundle {
        // The page reads them itself, with the same analyzer.
        print_out(&share::as_page_of(&bundles, options.page.as_deref())?);
        return Ok(ExitCode::SUCCESS);
    }
    let mut table = match options.format {
        Format::Parquet => Some(table::Table::to_output()?),
        _ => None,
    };
    let mut progress = Progress::new(bundles.len());
    let mut tally = Tally::default();
    let mut kept = Vec::new();
    parallel::in_order(&bundles, options.jobs, &|bundle| lines_of(bundle, limits), &mut |lines: Vec<
        HostLine,
    >| {
        progress.one_more(lines.iter().any(|line| line.failure.is_some()));
        let mut goes_on = true;
        for line in lines {
            tally.add(&line);
            match (&mut table, options.format) {
                (Some(table), _) => goes_on &= table.add(&line),
                (None, Format::Ndjson) => goes_on &= print_line(&line),
                (None, _) => kept.push(line),
            }
        }
        goes_on
    });
    progress.end();
    if let Some(table) = table {
        table.end()?;
    }
    let fleet = tally.fleet();
    kept.sort_by(HostLine::worst_first);
    match options.format {
        Format::Text => print_out(&text::render(&fleet, &kept)),
        Format::Markdown => print_out(&markdown::render(&fleet, &kept)),
        Format::Json => print_out(&json(fleet.clone(), kept)?),
        Format::Html => print_out(&html::render(&fleet, &kept)),
        // The sums do not fit between the lines; a table has one kind of row.
        Format::Ndjson | Format::Parquet => eprintln!("ebusy: {}", fleet.summary),
    }
    if left_out > 0 {
        eprintln!(
            "ebusy: {left_out} files are no archives by their names and were left out; name one to read it."
        );
    }
    Ok(if fleet.hosts > 0 { ExitCode::SUCCESS } else { ExitCode::from(2) })
}

fn parse(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut inputs, mut format, mut jobs) = (Vec::new(), Format::Text, parallel::cores());
    let (mut with_bundle, mut page) = (false, None);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("format") => {
                format = match parser.value()?.string()?.as_str() {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    "ndjson" => Format::Ndjson,
                    "markdown" | "md" => Format::Markdown,
                    "html" => Format::Html,
                    "parquet" => Format::Parquet,
                    other => {
                        let known = "text, json, ndjson, markdown, html or parquet";
                        return Err(format!("there is no format '{other}': {known}").into());
                    }
                }
            }
            Arg::Long("with-bundle") => with_bundle = true,
            Arg::Long("page") => page = Some(parser.value()?.string()?),
            Arg::Long("jobs") | Arg::Short('j') => jobs = parser.value()?.parse()?,
            Arg::Value(value) => inputs.push(value),
            other => return Err(other.unexpected()),
        }
    }
    if inputs.is_empty() {
        return Err("name a directory with bundles, or the bundles".into());
    }
    if with_bundle && format != Format::Html {
        return Err("--with-bundle goes with --format html".into());
    }
    if page.is_some() && !with_bundle {
        return Err("--page goes with --format html --with-bundle".into());
    }
    Ok(Options { inputs, format, jobs: jobs.max(1), with_bundle, page })
}

/// The lines of one bundle: one for each host in it, or one that says why it could not be read.
fn lines_of(bundle: &OsString, limits: &Limits) -> Vec<HostLine> {
    let source = bundle.to_string_lossy();
    match analyze::open(bundle, limits) {
        Ok(Ok(analysis)) => analysis.fleet_lines(&source),
        Ok(Err(error)) => vec![HostLine::unread(&source, error.code, &error.message, &error.advice)],
        Err(Failure::Usage(what) | Failure::Input(what)) => {
            vec![HostLine::unread(&source, "read-failed", &what, "Check that it is there and may be read.")]
        }
    }
}

/// The one document of `--format json`.
#[derive(Serialize)]
struct Document {
    fleet: Fleet,
    hosts: Vec<HostLine>,
}

fn json(fleet: Fleet, hosts: Vec<HostLine>) -> Result<String, Failure> {
    serde_json::to_string_pretty(&Document { fleet, hosts })
        .map(|json| json + "\n")
        .map_err(|e| Failure::Input(format!("the fleet could not be written as JSON: {e}")))
}
