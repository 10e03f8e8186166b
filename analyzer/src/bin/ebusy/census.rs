//! `ebusy census`: bundle in, what is left over out.

use std::ffi::OsString;
use std::process::ExitCode;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::census::text;
use lexopt::{Arg, Parser, ValueExt};

use crate::{Failure, open_analysis, print_out};

pub(crate) fn run(arguments: Vec<OsString>, limits: &Limits) -> Result<ExitCode, Failure> {
    let (bundle, json) = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    let census = open_analysis(&bundle, limits)?.census();
    let shown = if json {
        serde_json::to_string_pretty(&census)
            .map(|json| json + "\n")
            .map_err(|e| Failure::Input(format!("the census could not be written as JSON: {e}")))?
    } else {
        text::render(&census)
    };
    print_out(&shown);
    Ok(ExitCode::SUCCESS)
}

fn parse(arguments: Vec<OsString>) -> Result<(OsString, bool), lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut bundle, mut json) = (None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("format") => {
                json = match parser.value()?.string()?.as_str() {
                    "text" => false,
                    "json" => true,
                    other => return Err(format!("there is no format '{other}': text or json").into()),
                }
            }
            Arg::Value(value) if bundle.is_none() => bundle = Some(value),
            other => return Err(other.unexpected()),
        }
    }
    Ok((bundle.ok_or("name the bundle to look through, or - for standard input")?, json))
}
