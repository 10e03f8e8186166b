//! The command line: its options, their help, and how they are read.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::{Arg, Parser, ValueExt};

use crate::context::Options;

/// What the command line asks for.
#[derive(Debug)]
pub(crate) enum Request {
    Collect(Box<Options>),
    Help,
    Version,
}

/// One option: its spelling, its value, and what it does.
struct Line {
    group: &'static str,
    names: &'static str,
    help: &'static str,
}

const OPTIONS: [Line; 10] = [
    Line {
        group: "Output",
        names: "-o, --output FILE",
        help: "write here; - streams to standard output\n[default: ebusy-HOST-UTCTIME.tar.gz in this directory]",
    },
    Line { group: "What to take", names: "    --log FILE", help: "add a log; may be given several times" },
    Line {
        group: "What to take",
        names: "    --since DAYS",
        help: "logs of the last DAYS days, or 12h, 30m [default: 7]",
    },
    Line {
        group: "What to take",
        names: "    --no-fds",
        help: "leave out open descriptors and mapped files",
    },
    Line {
        group: "Another host",
        names: "    --root DIR",
        help: "a host whose root directory is mounted at DIR",
    },
    Line {
        group: "Another host",
        names: "    --proc DIR",
        help: "its /proc, live or recorded\n[default: proc in --root if there are processes,\nelse /proc]",
    },
    Line {
        group: "Limits",
        names: "    --timeout SECS",
        help: "end after this time with what is there [default: 60]",
    },
    Line { group: "About", names: "-q, --quiet", help: "say nothing but errors" },
    Line { group: "About", names: "-h, --help", help: "this text" },
    Line { group: "About", names: "-V, --version", help: "the version" },
];

const INTRO: &str = "\
Collects what shows who keeps a mount or device busy on this host, in one file.
Run it as root; it changes nothing, sends nothing, and takes about a second.

Usage: ebusy-collector [OPTIONS]
";

const OUTRO: &str = "
Exit codes:
  0    the bundle was written; what could not be read is in its summary.json
  1    no bundle was written
  2    the command line was not understood
  3    the bundle was written, but the time limit ended it early
  130, 143    stopped by a signal; no file was left behind
";

/// The text of `--help`.
pub(crate) fn help() -> String {
    let mut text = INTRO.to_owned();
    let mut group = "";
    for option in &OPTIONS {
        if option.group != group {
            group = option.group;
            text.push_str(&format!("\n{group}:\n"));
        }
        for (line, help) in option.help.lines().enumerate() {
            let names = if line == 0 { option.names } else { "" };
            text.push_str(&format!("  {names:<22} {help}\n"));
        }
    }
    text + OUTRO
}

/// Reads the command line, without the program's name.
///
/// # Errors
/// A sentence for the user.
pub(crate) fn parse(arguments: impl IntoIterator<Item = OsString>) -> Result<Request, String> {
    let given: Vec<OsString> = arguments.into_iter().collect();
    let mut options = Options {
        output: None,
        proc: None,
        root: PathBuf::from("/"),
        logs: Vec::new(),
        since: Duration::from_secs(7 * 86_400),
        descriptors: true,
        timeout: Duration::from_secs(60),
        quiet: false,
        given: given.iter().map(|argument| argument.to_string_lossy().into_owned()).collect(),
    };
    let mut parser = Parser::from_args(given);
    let told = |error: lexopt::Error| error.to_string();
    while let Some(argument) = parser.next().map_err(told)? {
        match argument {
            Arg::Short('o') | Arg::Long("output") => {
                options.output = Some(parser.value().map_err(told)?.into());
            }
            Arg::Long("log") => options.logs.push(parser.value().map_err(told)?.into()),
            Arg::Long("since") => options.since = since(&parser.value().map_err(told)?)?,
            Arg::Long("no-fds") => options.descriptors = false,
            Arg::Long("root") => options.root = parser.value().map_err(told)?.into(),
            Arg::Long("proc") => options.proc = Some(parser.value().map_err(told)?.into()),
            Arg::Long("timeout") => {
                let seconds: u64 = parser.value().map_err(told)?.parse().map_err(told)?;
                if seconds == 0 {
                    return Err("--timeout wants at least 1 second".into());
                }
                options.timeout = Duration::from_secs(seconds.min(86_400));
            }
            Arg::Short('q') | Arg::Long("quiet") => options.quiet = true,
            Arg::Short('h') | Arg::Long("help") => return Ok(Request::Help),
            Arg::Short('V') | Arg::Long("version") => return Ok(Request::Version),
            other => return Err(other.unexpected().to_string()),
        }
    }
    Ok(Request::Collect(Box::new(options)))
}

/// `7`, `7d`, `12h`, `30m`.
fn since(text: &OsString) -> Result<Duration, String> {
    let wrong = || format!("--since wants a number of days, or 12h, 30m; not {}", text.to_string_lossy());
    let text = text.to_str().ok_or_else(wrong)?;
    let (number, unit) = match text.strip_suffix(['d', 'h', 'm']) {
        Some(number) => (number, &text[number.len()..]),
        None => (text, "d"),
    };
    let seconds = match unit {
        "m" => 60,
        "h" => 3600,
        _ => 86_400,
    };
    let number: u64 = number.parse().map_err(|_| wrong())?;
    Ok(Duration::from_secs(number.saturating_mul(seconds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(arguments: &[&str]) -> Result<Options, String> {
        match parse(arguments.iter().map(OsString::from))? {
            Request::Collect(options) => Ok(*options),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn times_and_defaults() {
        assert_eq!(options(&[]).unwrap().since, Duration::from_secs(604_800));
        assert_eq!(options(&["--since", "12h"]).unwrap().since, Duration::from_secs(43_200));
        assert_eq!(options(&["--since=2"]).unwrap().since, Duration::from_secs(172_800));
        assert!(options(&["--since", "yesterday"]).unwrap_err().contains("days"));
        assert!(options(&["--timeout", "0"]).is_err());
        assert!(options(&["--frobnicate"]).unwrap_err().contains("--frobnicate"));
    }

    #[test]
    fn help_names_every_option_that_is_understood() {
        let help = help();
        for option in ["-o", "--log", "--since", "--no-fds", "--root", "--proc", "--timeout", "-q", "-V"] {
            assert!(help.contains(option), "{option}");
        }
        assert!(help.lines().all(|line| line.len() <= 80), "too wide for a terminal");
    }
}
