//! `ebusy census`: bundle in, what is left over out.

use std::ffi::OsString;
use std::process::ExitCode;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::census::{LISTED, markdown, text};
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
    let options = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    let census = open_analysis(&options.bundle, limits)?.census_with(options.leftovers);
    let shown = match options.format {
        Format::Json => serde_json::to_string_pretty(&census)
            .map(|json| json + "\n")
            .map_err(|e| Failure::Input(format!("the census could not be written as JSON: {e}")))?,
        Format::Markdown => markdown::render(&census),
        Format::Text => text::render(&census),
    };
    print_out(&shown);
    Ok(ExitCode::SUCCESS)
}

struct Options {
    bundle: OsString,
    format: Format,
    /// So many are told one by one.
    leftovers: usize,
}

fn parse(arguments: Vec<OsString>) -> Result<Options, lexopt::Error> {
    let mut parser = Parser::from_args(arguments);
    let (mut bundle, mut format, mut leftovers) = (None, Format::Text, LISTED);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("format") => {
                format = Format::of(&parser.value()?.string()?)?;
            }
            Arg::Long("leftovers") => leftovers = parser.value()?.parse()?,
            Arg::Value(value) if bundle.is_none() => bundle = Some(value),
            other => return Err(other.unexpected()),
        }
    }
    let bundle = bundle.ok_or("name the bundle to look through, or - for standard input")?;
    Ok(Options { bundle, format, leftovers })
}
