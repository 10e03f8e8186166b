//! `ebusy analyze`: bundle in, report out.

mod ndjson;

use std::ffi::OsString;
use std::io::Read as _;
use std::mem::ManuallyDrop;
use std::ops::ControlFlow;
use std::process::ExitCode;

use ebusy_analyzer::archive::Limits;
use ebusy_analyzer::report::link::{About, Shared};
use ebusy_analyzer::report::redact::{KINDS, Kind};
use ebusy_analyzer::report::{markdown, text};
use ebusy_analyzer::{Analysis, OpenError, Query};
use lexopt::{Arg, Parser, ValueExt};

use crate::{Failure, directory, open_input, print_out, share};

#[derive(Clone, Copy, PartialEq, Eq)]
enum Format {
    Text,
    Json,
    Markdown,
    Ndjson,
    Link,
    Html,
}

struct Options {
    /// One, or several with NDJSON.
    bundles: Vec<OsString>,
    query: Query,
    host: Option<String>,
    format: Format,
    /// Kinds of names to replace; `None` where nothing was said.
    redact: Option<Vec<Kind>>,
    /// The page's address for a link, its file for a page with the report inside.
    page: Option<String>,
    with_bundle: bool,
}

pub(crate) fn run(arguments: Vec<OsString>, limits: &Limits) -> Result<ExitCode, Failure> {
    let options = parse(arguments).map_err(|e| Failure::Usage(e.to_string()))?;
    let [bundle] = &options.bundles[..] else {
        return Ok(ndjson::run(&options.bundles, &options.query, limits));
    };
    if options.format == Format::Ndjson {
        return Ok(ndjson::run(&options.bundles, &options.query, limits));
    }
    if let Some(opened) = bundle.to_str().and_then(share::of_link) {
        return of_link(opened?, &options);
    }
    // A bundle that goes into the page is read twice.
    let bytes = if options.with_bundle { Some(whole(bundle)?) } else { None };
    let opened = match &bytes {
        Some(bytes) => Analysis::open_within(&bytes[..], limits, &mut |_| ControlFlow::Continue(())),
        None => open(bundle, limits)?,
    };
    let opened = opened
        .map_err(|error| Failure::Input(format!("{} {} [{}]", error.message, error.advice, error.code)))?;
    // The kernel takes it back at once; piece by piece that would take time.
    let mut analysis = ManuallyDrop::new(opened);
    choose_host(&mut analysis, &options)?;
    let report = analysis.explain(&options.query);
    let shared = share::shared(&report, &kinds(&options));
    let bundle = bytes.as_deref().map(|bytes| (file_name(bundle), bytes));
    let about = About::of(&options.query, &analysis.overview().errors);
    print_out(&render(shared, &options, bundle, about, analysis.chosen())?);
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

/// A report from a link, in another form. It is somebody's word: that is said first.
fn of_link(mut shared: Shared, options: &Options) -> Result<ExitCode, Failure> {
    if options.query != Query::Default || options.host.is_some() || options.with_bundle {
        return Err(Failure::Usage(
            "a link holds one report: --id, --host and --with-bundle need a bundle".into(),
        ));
    }
    eprintln!("ebusy: from a link, unverified: whoever made the link can have written anything into it.");
    for left_out in &shared.left_out {
        eprintln!("ebusy: not in the link: {} {}.", left_out.count, left_out.part.name());
    }
    if let Some(kinds) = &options.redact {
        shared.report = share::shared(&shared.report, kinds).report;
    }
    print_out(&render(shared, options, None, About::Default, 0)?);
    Ok(ExitCode::SUCCESS)
}

/// A link is made to be shown to others; everything else may be for oneself.
fn kinds(options: &Options) -> Vec<Kind> {
    let usual = if options.format == Format::Link { KINDS.to_vec() } else { Vec::new() };
    options.redact.clone().unwrap_or(usual)
}

/// All bytes of a bundle.
pub(crate) fn whole(name: &OsString) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    let read = open_input(name)?.read_to_end(&mut bytes);
    read.map_err(|error| Failure::Input(format!("cannot read {}: {error}.", name.display())))?;
    Ok(bytes)
}

/// The last part of a path; standard input has none.
pub(crate) fn file_name(path: &OsString) -> String {
    let name = std::path::Path::new(path).file_name().unwrap_or(path);
    if path == "-" { "bundle".to_owned() } else { name.to_string_lossy().into_owned() }
}

/// A file, standard input, or a directory with what an archive would hold.
pub(crate) fn open(name: &OsString, limits: &Limits) -> Result<Result<Analysis, OpenError>, Failure> {
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
    let (mut bundles, mut query, mut host, mut format) = (Vec::new(), Query::Default, None, Format::Text);
    let (mut redact, mut page, mut with_bundle) = (None, None, false);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Long("id") => query = Query::Text(parser.value()?.string()?),
            Arg::Long("host") => host = Some(parser.value()?.string()?),
            Arg::Long("format") => {
                format = match parser.value()?.string()?.as_str() {
                    "text" => Format::Text,
                    "json" => Format::Json,
                    "markdown" | "md" => Format::Markdown,
                    "ndjson" => Format::Ndjson,
                    "link" => Format::Link,
                    "html" => Format::Html,
                    other => {
                        let known = "text, json, ndjson, markdown, link or html";
                        return Err(format!("there is no format '{other}': {known}").into());
                    }
                }
            }
            Arg::Long("redact") => redact = Some(share::kinds(&parser.value()?.string()?)?),
            Arg::Long("page") => page = Some(parser.value()?.string()?),
            Arg::Long("with-bundle") => with_bundle = true,
            Arg::Value(value) => bundles.push(value),
            other => return Err(other.unexpected()),
        }
    }
    let options = Options { bundles, query, host, format, redact, page, with_bundle };
    check(&options).map(|()| options).map_err(Into::into)
}

/// Whether the options go together.
fn check(options: &Options) -> Result<(), String> {
    let ndjson = options.format == Format::Ndjson;
    if options.bundles.is_empty() {
        return Err("name the bundle to analyze, or - for standard input".into());
    }
    if let (Some(second), false) = (options.bundles.get(1), ndjson) {
        let second = second.to_string_lossy();
        return Err(format!("{second}: several bundles need --format ndjson, or `ebusy fleet`"));
    }
    if options.host.is_some() && ndjson {
        return Err("--host does not go with --format ndjson, which prints every host".into());
    }
    if options.redact.is_some() && ndjson {
        return Err("--redact does not go with --format ndjson".into());
    }
    if options.with_bundle && options.format != Format::Html {
        return Err("--with-bundle goes with --format html".into());
    }
    if options.page.is_some() && !matches!(options.format, Format::Html | Format::Link) {
        return Err("--page goes with --format html or link".into());
    }
    Ok(())
}

fn render(
    shared: Shared,
    options: &Options,
    bundle: Option<(String, &[u8])>,
    about: About,
    host: usize,
) -> Result<String, Failure> {
    match options.format {
        Format::Text => Ok(text::render(&shared.report)),
        Format::Markdown => Ok(markdown::render(&shared.report)),
        Format::Json | Format::Ndjson => serde_json::to_string_pretty(&shared.report)
            .map(|json| json + "\n")
            .map_err(|e| Failure::Input(format!("the report could not be written as JSON: {e}"))),
        Format::Link => Ok(share::as_link(&shared, options.page.as_deref())),
        Format::Html => share::as_page(shared, bundle, about, host, options.page.as_deref()),
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
