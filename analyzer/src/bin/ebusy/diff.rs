//! `ebusy diff`: two bundles of one host in, what changed out.

use std::ffi::OsString;
use std::process::ExitCode;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::diff::{Diff, compare, markdown, text};
use lexopt::{Arg, Parser, ValueExt};

use crate::census::Format;
use crate::{Failure, open_analysis, print_out};

struct Options {
    a: OsString,
    b: OsString,
    id: Option<String>,
    format: Format,
}

pub(crate) fn run(arguments: Vec<OsString>, limits: &Limits) -> Result<ExitCode, Failure> {
    let options = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    if options.a == "-" && options.b == "-" {
        return Err(Failure::Usage("only one of the two bundles can come from standard input".to_owned()));
    }
    let (a, b) = (open_analysis(&options.a, limits)?, open_analysis(&options.b, limits)?);
    let compared = compare(&a, &b, options.id.as_deref());
    print_out(&render(&compared.diff, options.format)?);
    if compared.found {
        return Ok(ExitCode::SUCCESS);
    }
    eprintln!(
        "ebusy: {} Name a container, path or device with --id, or leave it out.",
        compared.diff.summary
    );
    Ok(ExitCode::from(3))
}

fn parse(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut bundles, mut id, mut format) = (Vec::new(), None, Format::Text);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("id") => id = Some(parser.value()?.string()?),
            Arg::Long("format") => {
                format = Format::of(&parser.value()?.string()?)?;
            }
            Arg::Value(value) if bundles.len() < 2 => bundles.push(value),
            other => return Err(other.unexpected()),
        }
    }
    let mut bundles = bundles.into_iter();
    let (Some(a), Some(b)) = (bundles.next(), bundles.next()) else {
        return Err("name two bundles of one host, the earlier one first".into());
    };
    Ok(Options { a, b, id, format })
}

fn render(diff: &Diff, format: Format) -> Result<String, Failure> {
    match format {
        Format::Text => return Ok(text::render(diff)),
        Format::Markdown => return Ok(markdown::render(diff)),
        Format::Json => {}
    }
    serde_json::to_string_pretty(diff)
        .map(|json| json + "\n")
        .map_err(|e| Failure::Input(format!("the comparison could not be written as JSON: {e}")))
}
