//! `ebusy census`: bundle in, what is left over out.

use std::ffi::OsString;
use std::process::ExitCode;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::census::{markdown, text};
use lexopt::{Arg, Parser, ValueExt};

use crate::{Failure, open_analysis, print_out};

/// How something is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Text,
    Json,
    Markdown,
}

impl Format {
    pub(crate) fn of(name: &str) -> Result<Self, lexopt::Error> {
        match name {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            "markdown" => Ok(Self::Markdown),
            other => Err(format!("there is no format '{other}': text, json or markdown").into()),
        }
    }
}

pub(crate) fn run(arguments: Vec<OsString>, limits: &Limits) -> Result<ExitCode, Failure> {
    let (bundle, format) = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    let census = open_analysis(&bundle, limits)?.census();
    let shown = match format {
        Format::Json => serde_json::to_string_pretty(&census)
            .map(|json| json + "\n")
            .map_err(|e| Failure::Input(format!("the census could not be written as JSON: {e}")))?,
        Format::Markdown => markdown::render(&census),
        Format::Text => text::render(&census),
    };
    print_out(&shown);
    Ok(ExitCode::SUCCESS)
}

fn parse(arguments: Vec<OsString>) -> Result<(OsString, Format), lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut bundle, mut format) = (None, Format::Text);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("format") => {
                format = Format::of(&parser.value()?.string()?)?;
            }
            Arg::Value(value) if bundle.is_none() => bundle = Some(value),
            other => return Err(other.unexpected()),
        }
    }
    Ok((bundle.ok_or("name the bundle to look through, or - for standard input")?, format))
}
